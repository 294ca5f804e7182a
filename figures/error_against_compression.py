"""Test error against compression, each method's median and spread over seeds, around the common finish."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import LOOKS, WIDTH, compression_axis, look, plain_ticks, save, styled
from figures.reading.evidence import Key, errors, reached
from figures.reading.study_results import read_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Reached = tuple[str, float, int]
STAGES = {"unfinished": "as the method leaves it", "finished": "after the common finish"}
READS = Reads(measure="psp", arrays=("accuracy",), study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `entropy.psp --split test` results."""
    results = read_all(inputs)
    found, sparsity = errors(results), reached(results)
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.6), sharey=True)
        for axes, (stage, title) in zip(panels, STAGES.items(), strict=True):
            for arm in LOOKS:
                _line(axes, {key: value for key, value in found.items() if key.arm == arm}, arm, stage, sparsity)
            compression_axis(axes, sorted({key.sparsity for key in found if key.sparsity}))
            axes.set_title(title)
        panels[0].set_yscale("log")
        plain_ticks(panels[0].yaxis)
        panels[0].set_ylabel("test error (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        seeds = len({key.seed for key in found})
        caption = f"median of {seeds} seeds, band: quartiles"
        legend_below(figure, handles, labels, 3, caption)
        return save(figure, out)


def _line(axes: Axes, found: dict[Key, float], arm: str, stage: str, reached: dict[Reached, float]) -> None:
    """An arm's error at the median of the sparsities its networks really have."""
    style = look(arm)
    if arm.startswith("dense"):
        values = [value for key, value in found.items() if key.stage == stage or arm == "dense"]
        if values:
            axes.axhline(float(np.median(values)), color=style.colour, linestyle=style.line, label=style.label, lw=1)
        return
    sparsities = sorted({key.sparsity for key in found if key.stage == stage})
    if not sparsities:
        return
    cells = [[v for key, v in found.items() if (key.sparsity, key.stage) == (s, stage)] for s in sparsities]
    real = [[reached.get((arm, s, key.seed), s) for key in found if key.sparsity == s] for s in sparsities]
    x = [1 / (1 - float(np.median(each))) for each in real]
    low, middle, high = np.array([np.percentile(cell, [25, 50, 75]) for cell in cells]).T
    axes.plot(x, middle, color=style.colour, marker=style.marker, linestyle=style.line, label=style.label)
    axes.fill_between(x, low, high, color=style.colour, alpha=0.15, linewidth=0)


if __name__ == "__main__":
    command(draw, "error_against_compression", __doc__ or "")
