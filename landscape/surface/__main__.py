"""Loss and accuracy on a line or plane through a network: `python -m landscape.surface CKPT`.

Its directions are random and scaled like the weights (Li et al. 2018, Visualizing the Loss Landscape of Neural Nets),
eigenvectors of the Hessian, lead to other checkpoints (Garipov et al. 2018), or follow a training's course.
"""

from __future__ import annotations

from landscape.surface.flags import Surface, check
from landscape.surface.report import table
from minima.store.command import Report, run


def main(arguments: Surface) -> Report:
    """Evaluate every checkpoint named on the command line."""
    check(arguments)

    from landscape.surface.compute import compute
    from minima.zoo.measuring.each import measure_each

    return measure_each(
        arguments, "surface", lambda subject, place: compute(subject, place, arguments), table, write_level=False
    )


if __name__ == "__main__":
    run(Surface, main, prog="python -m landscape.surface", description=__doc__ or "")
