"""Loss and error on the line from one-shot to gradual; barriers between siblings as the yardstick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import LOOKS, Look, look, save, spoken_model, styled
from figures.reading.evidence import Line, LineKey, lines
from figures.reading.study_results import read_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BETWEEN = Look("one-shot to gradual", "#000000", "o", "-")
READS = Reads(measure="path", arrays=("loss", "accuracy"), study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.path` results: a column for each network, loss above error."""
    found = lines(read_all(inputs))
    columns = sorted({(key.model, key.sparsity) for key in found})
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(
            2, len(columns), figsize=(3.6 * len(columns), 5), sharex=True, squeeze=False, layout="constrained"
        )
        for (model, sparsity), column in zip(columns, panels.T, strict=True):
            here = {key: line for key, line in found.items() if (key.model, key.sparsity) == (model, sparsity)}
            seeds = len({key.seed for key in here})
            column[0].set_title(f"{spoken_model(model)}, {100 * sparsity:g} % removed, {seeds} seeds")
            for axes, quantity in zip(column, ("loss", "error"), strict=True):
                _panel(axes, here, quantity)
            column[1].set_xlabel("position t (0: first, 1: second network)")
        panels[0, 0].set_ylabel("training loss (nat)")
        panels[1, 0].set_ylabel("training error (%)")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        caption = "thick: median over seeds, thin: each seed; numbers: median barrier above the chord of the ends"
        legend_below(figure, handles, labels, 3, caption)
        return save(figure, out)


def _panel(axes: Axes, here: Mapping[LineKey, Line], quantity: str) -> None:
    """One quantity along the lines of each kind, and the median barriers in figures."""
    text = []
    for kind in sorted({key.kind for key in here}, key=["between", *LOOKS].index):
        style, name = (BETWEEN, BETWEEN.label) if kind == "between" else (look(kind), f"siblings, {look(kind).label}")
        group = [line for key, line in here.items() if key.kind == kind]
        heights = np.array([getattr(line, quantity) for line in group])
        label = style.label if kind == "between" else f"siblings: {style.label}"
        axes.plot(group[0].t, heights.T, color=style.colour, linewidth=0.4, alpha=0.35)
        axes.plot(group[0].t, np.median(heights, axis=0), color=style.colour, linestyle=style.line, lw=2, label=label)
        barriers = [getattr(line, f"{quantity}_barrier") for line in group]
        unit = "nat" if quantity == "loss" else "points"
        height = round(float(np.median(barriers)), 9)  # without the rounding errors of a chord through equal ends
        text.append((f"{name}: {height:.2g} {unit}", style.colour))
    axes.set_ylim(0, 1.35 * axes.dataLim.y1)  # room for the words
    for row, (words, colour) in enumerate(text):
        axes.text(
            0.5, 0.99 - 0.075 * row, words, color=colour, fontsize=8, ha="center", va="top", transform=axes.transAxes
        )


if __name__ == "__main__":
    command(draw, "path_between_solutions", __doc__ or "")
