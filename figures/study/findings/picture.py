"""The verdicts on the findings as a picture, settings side by side: above what has a margin, below the orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from figures.drawing.style import save, styled
from figures.statistics.paired import Paired
from figures.statistics.trend import Trend
from figures.study.findings.outcome import Outcome
from figures.study.findings.text import expected, networks, spoken
from figures.study.verdicts.picture import MARKS, bar, frame, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STAGES = {"unfinished": "as left", "finished": "finished"}
VIEWS = "statement and its views (as left: by the method; finished: after the common finish)"
WRAPPED = 100
"""characters"""
ROW, ORDER = 0.26, 3.5
"""inches; rows that an order takes"""
EXPECTED, LEFT, PANEL, VERDICT, SETTING = 6.3, 7.2, 1.7, 1.8, 3.5
"""inches: where expectations and settings begin; of a setting: its panel, where its verdicts begin, all of it"""
ABOVE, BETWEEN, BELOW = 1.0, 1.1, 0.2
"""inches"""


@dataclass(frozen=True)
class Line:
    """A line of words: of a statement, or of one of its views."""

    y: float
    claim: int
    view: int | None


@dataclass(frozen=True)
class Page:
    """A page on which everything is placed by hand, in inches from the top left."""

    figure: Figure
    width: float
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """New axes at a place of the page, in its units of length."""
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def words(self, beside: Axes, left: float, y: float, text: str, **look: str) -> None:
        """Words at the height of a row of `beside`."""
        words(beside, left / self.width, y, text, **look)


def picture(outcomes: Sequence[Outcome], out: Path) -> list[Path]:
    """Draw all outcomes: intervals of every view, then mean ranks of those that expect an order; the files written."""
    margins, rows = _lines(outcomes[0], 1, orders=False)
    orders, more = _lines(outcomes[0], ORDER, orders=True)
    width, height = LEFT + SETTING * len(outcomes), ABOVE + BETWEEN + BELOW + ROW * (rows + more)
    with styled():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(width, height))
        figure.set_layout_engine("none")
        page = Page(figure, width, height)
        _margins(page, outcomes, margins, rows)
        _orders(page, outcomes, orders, ABOVE + BETWEEN + ROW * rows, more)
        return save(figure, out)


def _lines(outcome: Outcome, height: float, orders: bool) -> tuple[list[Line], float]:
    """The lines of a block, and the rows it takes; each view takes `height` of them."""
    lines, y = [], 0.0
    for index, judgement in enumerate(outcome.judgements):
        views = [i for i, view in enumerate(judgement.claim.views) if (view.kind == "trend") == orders]
        if views:
            lines.append(Line(y, index, None))
            lines += [Line(y + 1 + i * height + (height - 1) / 2, index, view) for i, view in enumerate(views)]
            y += 1 + height * len(views)
    return lines, y


def _margins(page: Page, outcomes: Sequence[Outcome], lines: Sequence[Line], rows: float) -> None:
    """Medians and intervals in units of their margins."""
    for place, outcome in enumerate(outcomes):
        left = LEFT + SETTING * place
        panel = page.axes(left, ABOVE, PANEL, ROW * max(rows, 1))
        frame(panel, int(rows))
        page.words(panel, left, -2.6, outcome.label, weight="bold")
        page.words(panel, left, -1.9, networks(outcome.setting) if outcome.setting else "")
        page.words(panel, left + VERDICT, -1.0, "verdict", colour="#666666")
        if not place:
            _captions(page, panel, outcomes[0], lines)
            page.words(panel, 0.1, -1.0, VIEWS, colour="#666666")
            page.words(panel, EXPECTED, -1.0, "expected", colour="#666666")
        for line in lines:
            _verdict(page, panel, left, outcome, line)
            if line.view is not None:
                judged = outcome.judgements[line.claim].views[line.view]
                if isinstance(judged.summary, Paired):
                    bar(panel, judged.summary, judged.view.margin, line.y, MARKS[judged.verdict][0])


def _orders(page: Page, outcomes: Sequence[Outcome], lines: Sequence[Line], top: float, rows: float) -> None:
    """Mean ranks of the arms in the order expected: a full order lies on the dashed line."""
    blank = page.axes(LEFT, top, SETTING * len(outcomes), ROW * max(rows, 1))
    blank.set_axis_off()
    blank.set_ylim(max(rows, 1) - 0.5, -0.5)
    _captions(page, blank, outcomes[0], lines)
    for place, outcome in enumerate(outcomes):
        left = LEFT + SETTING * place
        page.words(blank, left, -0.9, "mean rank of each arm (dashed: the order expected)", colour="#666666")
        for line in lines:
            _verdict(page, blank, left, outcome, line)
            if line.view is not None:
                judged = outcome.judgements[line.claim].views[line.view]
                panel = page.axes(left, top + ROW * (line.y + 0.5 - 0.36 * ORDER), PANEL, ROW * 0.66 * ORDER)
                _ranks(panel, judged.summary, len(judged.view.arms), MARKS[judged.verdict][0])


def _ranks(axes: Axes, summary: Paired | Trend | None, arms: int, colour: str) -> None:
    order = range(1, arms + 1)
    axes.plot(order, order, color="#999999", linewidth=0.8, linestyle="--")
    if isinstance(summary, Trend) and summary.n:
        axes.plot(order, summary.mean_ranks, "o-", color=colour, linewidth=1, markersize=4, clip_on=False)
    axes.set_xlim(0.7, arms + 0.3)
    axes.set_ylim(0.7, arms + 0.3)
    axes.set_xticks(order)
    axes.set_yticks([1, arms])
    axes.tick_params(labelsize=7, length=2, pad=1)


def _captions(page: Page, beside: Axes, outcome: Outcome, lines: Sequence[Line]) -> None:
    """The statements and views, which all settings share."""
    for line in lines:
        claim = outcome.judgements[line.claim].claim
        if line.view is None:
            page.words(beside, 0.1, line.y, claim.text, weight="bold")
        else:
            page.words(beside, 0.3, line.y, fill(spoken(claim.views[line.view], STAGES), WRAPPED))
            page.words(beside, EXPECTED, line.y, expected(claim.views[line.view]))


def _verdict(page: Page, beside: Axes, left: float, outcome: Outcome, line: Line) -> None:
    judgement = outcome.judgements[line.claim]
    if line.view is None:
        colour, mark = MARKS[judgement.verdict]
        page.words(beside, left + VERDICT, line.y, f"{mark} {judgement.verdict}", colour=colour, weight="bold")
        return
    judged = judgement.views[line.view]
    colour, mark = MARKS[judged.verdict]
    seeds = "" if judged.summary is None else f" (n = {judged.summary.n})"
    page.words(beside, left + VERDICT, line.y, f"{mark} {judged.verdict}{seeds}", colour=colour)
