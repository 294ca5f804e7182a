"""What neurons know: PSP-entropy and its relatives.

>>> from entropy import layer_entropies, psp_entropy
"""

from typing import TYPE_CHECKING

from minima.store.doors import door

if TYPE_CHECKING:
    from entropy.information.layer import LayerEntropy as LayerEntropy
    from entropy.layers.door import LayerEntropies as LayerEntropies
    from entropy.layers.door import layer_entropies as layer_entropies
    from entropy.layers.rectifiers import Rectifier as Rectifier
    from entropy.psp.door import PspEntropy as PspEntropy
    from entropy.psp.door import psp_entropy as psp_entropy

HOMES = {
    "LayerEntropies": "entropy.layers.door",
    "LayerEntropy": "entropy.information.layer",
    "PspEntropy": "entropy.psp.door",
    "Rectifier": "entropy.layers.rectifiers",
    "layer_entropies": "entropy.layers.door",
    "psp_entropy": "entropy.psp.door",
}
"""public name -> the module that defines it"""

__all__ = [*HOMES]  # noqa: PLE0604 (strings they are)
__getattr__, __dir__ = door(__name__, HOMES)
