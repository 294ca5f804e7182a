"""Whether training is stable to the order of its data from epoch k on: `python -m landscape.instability A0 B0 A4 B4`.

Frankle et al. 2020, "Linear Mode Connectivity and the Lottery Ticket Hypothesis": siblings share their first k epochs
and then see the examples in another order each; the error barrier between them, against k.
"""

from __future__ import annotations

from landscape.instability.flags import Instability
from landscape.instability.report import table
from minima.store.command import BadInput, Report, run


def main(arguments: Instability) -> Report:
    """Measure the pairs of checkpoints named on the command line."""
    count = len(arguments.checkpoints)
    if count < 2 or count % 2:
        raise BadInput(
            f"siblings come in pairs, {count} checkpoints were named: "
            "landscape.instability A0.pt B0.pt A4.pt B4.pt -o FILE.h5"
        )
    arguments.check()

    from landscape.instability.compute import compute
    from minima.zoo.measuring.each import measure_together

    return measure_together(
        arguments, "instability", lambda subjects, place: compute(subjects, place, arguments), table
    )


if __name__ == "__main__":
    run(Instability, main, prog="python -m landscape.instability", description=__doc__ or "")
