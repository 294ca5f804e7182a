"""Barriers from each level of pruning to the next, beside that between siblings: of `landscape.successive`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing.captions import legend_below, with_unit
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import LOOKS, WIDTH, Look, from_zero, save, styled
from figures.reading.measurements import result, stem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALES = {"error": ("error barrier (percentage points)", 100), "loss": ("loss barrier", 1)}
STYLES = [look for name, look in LOOKS.items() if name != "dense-longer"]
READS = Reads(measure="successive", arrays=("barrier_loss", "barrier_error"), room=len(STYLES))


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.successive` results: error beside loss, a line for each file."""
    found = [_read(path) for path in inputs]
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.4))
        for axes, (quantity, (title, scale)) in zip(panels, SCALES.items(), strict=True):
            for summary, style, path in zip(found, STYLES, inputs, strict=False):
                label = path.stem if len(found) > 1 else "from one level to the next"
                _line(axes, summary, style, scale, (quantity, label))
            axes.set_ylabel(with_unit(title, found[0]["units"][quantity]))
            from_zero([axes])
        _pairs(panels, found)
        handles, labels = panels[0].get_legend_handles_labels()
        caption = f"{found[0]['samples']:,} {found[0]['split']} examples; barrier: largest rise above the chord"
        legend_below(figure, handles, labels, 2, caption)
        return save(figure, out)


def _line(axes: Axes, summary: dict[str, Any], style: Look, scale: float, said: tuple[str, str]) -> None:
    """The barrier of each pair of levels; that of the siblings, the yardstick, as a level line."""
    quantity, label = said
    heights = [np.nan if height is None else scale * height for height in summary["barrier"][quantity]]
    if summary["sibling_barrier"] is not None:
        axes.axhline(heights.pop(), color=style.colour, linestyle=":", label=f"{label}: siblings" * (len(label) > 0))
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": style.line}
    axes.plot(range(len(heights)), heights, label=label, **look)


def _pairs(panels: Sequence[Axes], found: Sequence[dict[str, Any]]) -> None:
    """Each pair by its two sparsities; by its names where there is one file and few pairs."""
    longest = max(found, key=lambda summary: len(summary["pairs"]))
    pairs = longest["pairs"][: len(longest["pairs"]) - (longest["sibling_barrier"] is not None)]
    names = [f"{stem(first)}\nto {stem(second)}" for first, second in pairs]
    removed = [f"to {sparsity:.1%}" for sparsity in longest["sparsities"][: len(pairs)]]
    for axes in panels:
        axes.set_xticks(range(len(pairs)), names if len(found) == 1 and len(pairs) <= 3 else removed, fontsize=7)
        axes.margins(x=0.15)
        axes.set_xlabel("level of pruning")


def _read(path: Path) -> dict[str, Any]:
    with result(path, "successive", "landscape") as (file, (summary,)):
        units = {quantity: str(file[f"successive/barrier_{quantity}"].attrs["units"]) for quantity in SCALES}
        return summary | {"units": units}


if __name__ == "__main__":
    command(draw, "successive", __doc__ or "")
