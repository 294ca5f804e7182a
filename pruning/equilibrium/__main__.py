"""What training left out at equilibrium, and what is left of the score: `python -m pruning.equilibrium CKPT...`."""

from __future__ import annotations

from minima.store.command import Report, run
from pruning.equilibrium.flags import EquilibriumFlags
from pruning.equilibrium.report import table


def main(arguments: EquilibriumFlags) -> Report:
    """Look at every checkpoint named on the command line."""
    from minima.zoo.measuring.each import measure_each
    from pruning.equilibrium.compute import compute

    return measure_each(arguments, "equilibrium", compute, table)


if __name__ == "__main__":
    run(EquilibriumFlags, main, prog="python -m pruning.equilibrium", description=__doc__ or "")
