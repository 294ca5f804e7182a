"""The loss of each class around a network, on one scale: of `landscape.surface --maps per-class`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.surface import draw as draw_surface

READS = Reads(measure="surface", arrays=("class_loss",), room=1)


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.surface` results that have `--maps per-class`: a map for each class."""
    return draw_surface(inputs, out, checkpoint, maps=("class_loss",))


if __name__ == "__main__":
    command(draw, "class_surfaces", __doc__ or "", Choosing)
