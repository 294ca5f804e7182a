"""Sparse checkpoints: every method a composition of a few parts.

>>> from pruning import prune
"""

from typing import TYPE_CHECKING

from minima.store.doors import door

if TYPE_CHECKING:
    from pruning.composition.method import Method as Method
    from pruning.robustness.door import RobustnessResult as RobustnessResult
    from pruning.robustness.door import measure_robustness as measure_robustness
    from pruning.running.door import Pruned as Pruned
    from pruning.running.door import prune as prune
    from pruning.shrink.compute import shrink_network as shrink_network
    from pruning.shrink.shrunk import Shrunk as Shrunk

HOMES = {
    "Method": "pruning.composition.method",
    "RobustnessResult": "pruning.robustness.door",
    "measure_robustness": "pruning.robustness.door",
    "Pruned": "pruning.running.door",
    "prune": "pruning.running.door",
    "Shrunk": "pruning.shrink.shrunk",
    "shrink_network": "pruning.shrink.compute",
}
"""public name -> the module that defines it"""

__all__ = [*HOMES]  # noqa: PLE0604 (strings they are)
__getattr__, __dir__ = door(__name__, HOMES)
