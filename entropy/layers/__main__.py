"""`python -m entropy.layers CKPT`: the entropy of a network's layers, and which of their rectifiers could go."""

from __future__ import annotations

from entropy.layers.flags import Layers
from entropy.layers.report import table
from minima.store.command import Report, run


def main(arguments: Layers) -> Report:
    """Measure every checkpoint named on the command line."""
    arguments.chosen()

    from entropy.layers.compute import compute
    from minima.zoo.measuring.each import measure_each

    return measure_each(arguments, "layers", lambda subject, place: compute(subject, place, arguments), table)


if __name__ == "__main__":
    run(Layers, main, prog="python -m entropy.layers")
