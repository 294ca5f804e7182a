"""Barriers from one level of pruning to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.drawing.captions import with_unit
from figures.page.content.charts import Lines, Row, Series, Table, View, percent
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, listed
from figures.reading.measurements import stem
from minima.store.table import with_error


@dataclass(frozen=True)
class Successive(Section):
    """The section on barriers between levels of pruning: results of `landscape.successive`."""

    name: ClassVar[str] = "successive"
    place: ClassVar[int] = 110
    title: ClassVar[str] = "Levels of pruning"
    measure: ClassVar[str] = "successive"
    command: ClassVar[str] = "python -m landscape.successive DENSE.pt LEVEL-1.pt LEVEL-2.pt"
    question: ClassVar[str] = "Does each level of pruning stay in the valley of the one before?"
    caveat: ClassVar[str] = (
        "A barrier on the straight line; that between siblings, where there is one, is the yardstick."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Frankle et al. 2020, Linear Mode Connectivity and the Lottery Ticket Hypothesis",
        "Paul et al. 2023, Unmasking the Lottery Ticket Hypothesis (successive levels)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """The barrier of each pair of levels."""
        charts, rows, said = [], [], []
        unit = results[0].summary.get("loss_unit", "nat")
        for each in results:
            pairs = [" to ".join(map(stem, pair)) for pair in each.summary["pairs"]]
            barrier = each.summary["barrier"]
            series = [Series(each.name, pairs, barrier["loss"], mode="markers")]
            charts.append(
                Lines("Barrier from level to level", "", with_unit("barrier of the loss", unit), series, pairs)
            )
            for pair, loss, error in zip(pairs, barrier["loss"], barrier["error"], strict=True):
                rows.append(Row([pair, with_error(loss, None), with_error(percent(error), None)]))
                said.append(f"{pair} {with_error(loss, None)}")
        heads = ("pair", with_unit("barrier of the loss", unit), "barrier of the error (points)")
        return View(
            f"{with_unit('Barrier of the loss', unit)}: {listed(said)}.", charts, [Table("Each pair", heads, rows)]
        )
