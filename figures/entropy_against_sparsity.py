"""Entropy and class information of alive neurons, and dead neurons, against sparsity, for each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.psp import LEVELS, Level, Network, examples, level, read_networks
from figures.drawing.reads import Reads
from figures.drawing.style import LOOKS, WIDTH, Look, from_zero, looks, save, styled
from figures.reading.names import parse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGES = {False: "as the method leaves it", True: "after the common finish"}
READS = Reads(measure="psp", arrays=("*/entropy", "*/class_information"), moments=False, least=3, across="sparsity")


@dataclass(frozen=True)
class Point:
    """All hidden neurons of one network."""

    method: str
    seed: int
    asked: float
    """sparsity in its name, or the real one"""
    sparsity: float
    finished: bool
    level: Level


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `entropy.psp` results of many networks: the median over seeds, in a band between its quartiles."""
    networks = read_networks(inputs)
    points = [point_of(network) for network in networks]
    styles = looks(sorted({point.method for point in points}, key=_place))
    stages = [stage for stage in STAGES if any(p.finished == stage and p.asked for p in points)] or [False]
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(
            len(LEVELS), len(stages), figsize=(WIDTH, 6.2), sharex=True, sharey="row", squeeze=False
        )
        for (quantity, words), row in zip(LEVELS.items(), panels, strict=True):
            for stage, axes in zip(stages, row, strict=True):
                for method, style in styles.items():
                    _line(axes, [p for p in points if p.method == method], quantity, stage, style)
            row[0].set_ylabel(words)
            from_zero(row)
        for stage, top, bottom in zip(stages, panels[0], panels[-1], strict=True):
            _sparsity_axis(bottom, sorted({p.asked for p in points if p.asked}))
            if len(stages) > 1:
                top.set_title(STAGES[stage])
        handles, labels = panels[0, 0].get_legend_handles_labels()
        seeds = len({point.seed for point in points})
        spread = f"; median of {seeds} seeds, band: quartiles" if seeds > 1 else ""
        caption = f"{examples(networks[0])}; all hidden neurons together{spread}"
        legend_below(figure, handles, labels, 3, caption)
        return save(figure, out)


def point_of(network: Network) -> Point:
    """Where a network belongs: its name says what was asked for, its file what it has."""
    seed, method = network.seed_and_method
    sparsity = float(network.summary["sparsity"])
    try:
        asked, finished = parse(network.name).sparsity, parse(network.name).finished
    except ValueError:
        asked, finished = round(sparsity, 3), False
    return Point(method, seed, asked, sparsity, finished, level(network.layers))


def _place(method: str) -> tuple[int, str]:
    """Methods in the order of the list of looks."""
    known = list(LOOKS)
    return (known.index(method) if method in known else len(known), method)


def _line(axes: Axes, points: Sequence[Point], quantity: str, stage: bool, style: Look) -> None:
    """One method at the median of the sparsities its networks really have; dense ones as a level line."""
    dense = [getattr(p.level, quantity) for p in points if not p.asked and (p.finished == stage or p.method == "dense")]
    if dense:
        axes.axhline(quartiles(dense)[1], color=style.colour, linestyle=style.line, label=style.label, lw=1)
    cells: dict[float, list[Point]] = {}
    for point in points:
        if point.asked and point.finished == stage:
            cells.setdefault(point.asked, []).append(point)
    if not cells:
        return
    rows = [cells[asked] for asked in sorted(cells)]
    x = [1 / (1 - float(np.median([point.sparsity for point in row]))) for row in rows]
    values = [[getattr(point.level, quantity) for point in row] for row in rows]
    low, middle, high = np.array([quartiles(each) for each in values]).T
    axes.plot(x, middle, color=style.colour, marker=style.marker, linestyle=style.line, label=style.label)
    axes.fill_between(x, low, high, color=style.colour, alpha=0.15, linewidth=0)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """25, 50 and 75 per cent of those that are numbers: a network without an alive neuron has no mean over them.

    >>> quartiles([1, 2, 3, float("nan")])
    (1.5, 2.0, 2.5)
    """
    there = [value for value in values if np.isfinite(value)] or [np.nan]
    low, middle, high = np.percentile(there, [25, 50, 75]).tolist()
    return low, middle, high


def _sparsity_axis(axes: Axes, sparsities: Sequence[float]) -> None:
    """A log axis of what is left, ticked with the sparsities asked for."""
    axes.set_xscale("log")
    axes.set_xticks([1 / (1 - s) for s in sparsities], [f"{100 * s:.4g} %" for s in sparsities])
    axes.minorticks_off()
    axes.set_xlabel("sparsity (prunable weights removed)")


if __name__ == "__main__":
    command(draw, "entropy_against_sparsity", __doc__ or "")
