"""Loss and error on the way between two networks, and its barrier: `python -m landscape.path A B`."""

from __future__ import annotations

from landscape.path.flags import Path
from landscape.path.report import table
from minima.store.command import BadInput, Report, run


def main(arguments: Path) -> Report:
    """Measure the path between the two checkpoints named on the command line."""
    if len(arguments.checkpoints) != 2:
        raise BadInput(
            f"a path goes between two checkpoints, {len(arguments.checkpoints)} were named: landscape.path A.pt B.pt"
        )
    arguments.check(epochs=0, examples_per_step=1)

    from landscape.path.compute import compute
    from minima.zoo.measuring.each import measure_together

    return measure_together(arguments, "path", lambda subjects, place: compute(subjects, place, arguments), table)


if __name__ == "__main__":
    run(Path, main, prog="python -m landscape.path", description=__doc__ or "")
