"""Verdicts as a picture: rows of words beside medians and intervals in units of their margins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from figures.statistics.paired import Paired
from figures.study.verdicts.verdicts import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIMIT = 12.0
"""margins: what lies further out is drawn at the edge"""
MARKS: dict[Verdict, tuple[str, str]] = {
    "confirmed": ("#009E73", "▲"),
    "contradicted": ("#D55E00", "▼"),
    "equivalent": ("#0072B2", "="),
    "undecided": ("#666666", "?"),
    "no verdict": ("#666666", "·"),
    "not yet measured": ("#666666", "·"),
}


def bar(axes: Axes, summary: Paired, margin: float, y: float, colour: str) -> None:
    """Median and interval in a row of the table; nothing where there is no median."""
    if not math.isfinite(summary.median):
        return
    middle, low, high = (_scaled(value, margin) for value in (summary.median, summary.low, summary.high))
    if math.isfinite(low):
        axes.plot([low, high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt", clip_on=False)
    axes.plot(middle, y, "o", color=colour, markersize=5, clip_on=False)


def _scaled(value: float, margin: float) -> float:
    return max(-LIMIT, min(LIMIT, value / margin))


def words(axes: Axes, x: float, y: float, text: str, colour: str = "black", weight: str = "normal") -> None:
    """Words at the height of a row, beginning at `x` widths of the figure."""
    from matplotlib.transforms import blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    place = blended_transform_factory(figure.transFigure, axes.transData)
    axes.text(x, y, text, transform=place, va="center", fontsize=8, color=colour, weight=weight)


def frame(axes: Axes, rows: int) -> None:
    """An axis of margins above and below zero, for as many rows."""
    axes.axvspan(-1, 1, color="#0072B2", alpha=0.12, linewidth=0)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=2)
    axes.set_xlim(-LIMIT * 1.1, LIMIT * 1.1)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xticks([-10, -2, 0, 2, 10], ["−10", "−2", "0", "2", "10"])
    axes.minorticks_off()
    axes.set_xlabel("median and 95 % interval, in margins\n(shaded: no difference that counts)", fontsize=8)
