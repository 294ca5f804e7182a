"""Barriers between siblings against the epochs they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.drawing.captions import with_unit
from figures.page.content.charts import Lines, Row, Series, Table, View, percent
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section
from minima.store.table import with_error


@dataclass(frozen=True)
class Instability(Section):
    """The section on barriers between siblings: results of `landscape.instability`."""

    name: ClassVar[str] = "instability"
    place: ClassVar[int] = 100
    title: ClassVar[str] = "Siblings"
    measure: ClassVar[str] = "instability"
    command: ClassVar[str] = "python -m landscape.instability SIBLING-1.pt SIBLING-2.pt"
    question: ClassVar[str] = "From which epoch on do two trainings in different order end in one valley?"
    caveat: ClassVar[str] = "A barrier on the straight line; a few pairs of siblings are a few draws of chance."
    cite: ClassVar[tuple[str, ...]] = (
        "Frankle et al. 2020, Linear Mode Connectivity and the Lottery Ticket Hypothesis",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """The barrier of each pair against the epochs that it shares."""
        series, rows, unit = [], [], results[0].summary.get("loss_unit", "nat")
        for each in results:
            shared, barrier = each.summary["shared_epochs"], each.summary["barrier"]["loss"]
            errors = each.summary["barrier"]["error"]
            series.append(Series(each.name, shared, barrier, mode="markers"))
            for epochs, loss, error in zip(shared, barrier, errors, strict=True):
                rows.append(Row([each.name, epochs, with_error(loss, None), with_error(percent(error), None)]))
        chart = Lines("Barrier between siblings", "epochs shared", with_unit("barrier of the loss", unit), series)
        heads = ("result", "epochs shared", with_unit("barrier of the loss", unit), "barrier of the error (points)")
        largest = with_unit(str(max(rows, key=_height).cells[2]), unit)
        says = f"Pairs of siblings: {len(rows)}; the largest barrier is {largest}."
        return View(says, [chart], [Table("Each pair", heads, rows)])


def _height(row: Row) -> float:
    return float(row.cells[2]) if row.cells[2] != "-" else 0.0
