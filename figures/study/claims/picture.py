"""The claims table as a picture: each view's median and interval in units of its margin, and the verdicts in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from figures.drawing.style import look, save, spoken_model, styled
from figures.study.claims.claims import Arms, Judged, Judgement
from figures.study.claims.views import STATISTICS, Evidence
from figures.study.verdicts.picture import MARKS, bar, frame, words
from figures.study.verdicts.text import DIRECTIONS, STAGES, interval, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = {"claim": 0.01, "expected": 0.405, "median": 0.65, "verdict": 0.865}
"""where each column begins, in widths of the figure"""


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
        frame(axes, rows)
        _headings(axes)
        gradual, one_shot = look(arms.gradual).label, look(arms.one_shot).label
        title = f"{spoken_model(evidence.model)}, {len(evidence.seeds)} seeds: {gradual} minus {one_shot}"
        figure.suptitle(title, y=1 - 0.12 / inches, va="top", fontsize=10)
        return save(figure, out)


def _heading(axes: Axes, judgement: Judgement, y: int) -> None:
    colour, mark = MARKS[judgement.verdict]
    words(axes, COLUMNS["claim"], y, judgement.claim.text, weight="bold")
    words(axes, COLUMNS["verdict"], y, f"{mark} {judgement.verdict}", weight="bold", colour=colour)


def _row(axes: Axes, judged: Judged, y: int) -> None:
    view, summary, statistic = judged.view, judged.summary, STATISTICS[judged.view.statistic]
    colour, mark = MARKS[judged.verdict]
    words(axes, COLUMNS["claim"], y, f"    {statistic.meaning}, {STAGES[view.stage]}")
    words(axes, COLUMNS["expected"], y, DIRECTIONS[view.direction])
    words(axes, COLUMNS["median"], y, f"{number(summary.median)} [{interval(summary)}] {statistic.unit}")
    words(axes, COLUMNS["verdict"], y, f"{mark} {judged.verdict} (n = {summary.n})", colour=colour)
    bar(axes, summary, view.margin, y, colour)


def _headings(axes: Axes) -> None:
    headings = {
        "claim": "claim and its views",
        "expected": "expected",
        "median": "median [interval]",
        "verdict": "verdict",
    }
    for column, text in headings.items():
        words(axes, COLUMNS[column], -1.0, text, colour="#666666")
