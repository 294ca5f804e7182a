"""A pruned network's curvature beside its dense parent's: `python -m landscape.survivors PRUNED.pt --parent DENSE.pt`.

Of four Hessians of the mean loss over the same examples: of the pruned network over its survivors; of the parent over
all its weights; of the parent over the survivors' coordinates only, and over random ones, as many in each layer.
"""

from __future__ import annotations

from landscape.survivors.flags import Survivors
from landscape.survivors.report import table
from minima.store.command import Report, run


def main(arguments: Survivors) -> Report:
    """Measure every pruned checkpoint named on the command line beside its parent."""
    arguments.check()
    arguments.check_memory()

    from landscape.survivors.compute import compute
    from minima.zoo.measuring.each import measure_each

    return measure_each(
        arguments, "survivors", lambda subject, place: compute(subject, place, arguments), table, write_level=False
    )


if __name__ == "__main__":
    run(Survivors, main, prog="python -m landscape.survivors", description=__doc__ or "")
