"""The claims table as a picture: each view's median and interval in units of its margin, and the verdicts in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from figures.claims import Arms, Judged, Judgement, Verdict
from figures.claims_text import DIRECTIONS, STAGES, interval, number
from figures.style import look, save, spoken_model, styled
from figures.views import STATISTICS, Evidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = {"claim": 0.01, "expected": 0.405, "median": 0.65, "verdict": 0.865}
"""where each column begins, in widths of the figure"""
LIMIT = 12.0
"""margins: what lies further out is drawn at the edge"""
MARKS: dict[Verdict, tuple[str, str]] = {
    "confirmed": ("#009E73", "▲"),
    "contradicted": ("#D55E00", "▼"),
    "equivalent": ("#0072B2", "="),
    "undecided": ("#666666", "?"),
    "not yet measured": ("#666666", "·"),
}


def picture(judgements: Sequence[Judgement], evidence: Evidence, arms: Arms, out: Path) -> list[Path]:
    """Draw the table."""
    rows = sum(1 + len(judgement.views) for judgement in judgements)
    inches = 1.5 + 0.26 * rows
    with styled():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(11, inches))
        figure.set_layout_engine("none")  # the table's columns are placed by hand
        axes = figure.add_axes((0.46, 0.6 / inches, 0.17, 1 - 1.3 / inches))
        y = 0
        for judgement in judgements:
            _heading(axes, judgement, y)
            for offset, judged in enumerate(judgement.views, 1):
                _row(axes, judged, y + offset)
            y += 1 + len(judgement.views)
        _frame(axes, rows)
        gradual, one_shot = look(arms.gradual).label, look(arms.one_shot).label
        title = f"{spoken_model(evidence.model)}, {len(evidence.seeds)} seeds: {gradual} minus {one_shot}"
        figure.suptitle(title, y=1 - 0.12 / inches, va="top", fontsize=10)
        return save(figure, out)


def _heading(axes: Axes, judgement: Judgement, y: int) -> None:
    colour, mark = MARKS[judgement.verdict]
    _text(axes, "claim", y, judgement.claim.text, weight="bold")
    _text(axes, "verdict", y, f"{mark} {judgement.verdict}", weight="bold", colour=colour)


def _row(axes: Axes, judged: Judged, y: int) -> None:
    view, summary, statistic = judged.view, judged.summary, STATISTICS[judged.view.statistic]
    colour, mark = MARKS[judged.verdict]
    _text(axes, "claim", y, f"    {statistic.meaning}, {STAGES[view.stage]}")
    _text(axes, "expected", y, DIRECTIONS[view.direction])
    _text(axes, "median", y, f"{number(summary.median)} [{interval(judged)}] {statistic.unit}")
    _text(axes, "verdict", y, f"{mark} {judged.verdict} (n = {summary.n})", colour=colour)
    if not math.isfinite(summary.median):
        return
    middle, low, high = (_scaled(value, view.margin) for value in (summary.median, summary.low, summary.high))
    if math.isfinite(low):
        axes.plot([low, high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt", clip_on=False)
    axes.plot(middle, y, "o", color=colour, markersize=5, clip_on=False)


def _scaled(value: float, margin: float) -> float:
    return max(-LIMIT, min(LIMIT, value / margin))


def _text(axes: Axes, column: str, y: float, words: str, colour: str = "black", weight: str = "normal") -> None:
    """Words in a column of the table, at the height of a row."""
    from matplotlib.transforms import blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    place = blended_transform_factory(figure.transFigure, axes.transData)
    axes.text(COLUMNS[column], y, words, transform=place, va="center", fontsize=8, color=colour, weight=weight)


def _frame(axes: Axes, rows: int) -> None:
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
    words = {
        "claim": "claim and its views",
        "expected": "expected",
        "median": "median [interval]",
        "verdict": "verdict",
    }
    for column, text in words.items():
        _text(axes, column, -1.0, text, colour="#666666")
