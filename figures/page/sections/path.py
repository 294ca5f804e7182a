"""Loss and error on the way between two networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.page.content.charts import Lines, Row, Series, Table, View, percent, with_error, with_unit
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, listed

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@dataclass(frozen=True)
class Path(Section):
    """The section on the way between two networks: results of `landscape.path`."""

    name: ClassVar[str] = "path"
    place: ClassVar[int] = 50
    title: ClassVar[str] = "Ways between networks"
    measure: ClassVar[str] = "path"
    command: ClassVar[str] = "python -m landscape.path A.pt B.pt"
    question: ClassVar[str] = "Is there a barrier of the loss between two networks, or do they lie in one valley?"
    caveat: ClassVar[str] = (
        "A barrier on a straight line may vanish on a curve, or once the units of one network are put into the order "
        "of the other's: a line with a barrier does not prove two valleys."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Garipov et al. 2018, Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs",
        "Frankle et al. 2020, Linear Mode Connectivity and the Lottery Ticket Hypothesis",
        "Ainsworth et al. 2023, Git Re-Basin (aligned units)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Loss, and error in per cent, along each way."""
        loss, error, rows = [], [], []
        for number, each in enumerate(results):
            summary, label = each.summary, _label(each, networks)
            look = {"colour": COLOURS[number % len(COLOURS)]}
            loss.append(Series(label, summary["t"], summary["losses"], look=look))
            errors = [percent(value) for value in summary["errors"]]
            if None not in errors:
                error.append(Series(label, summary["t"], errors, look=look))
            barrier = summary["barrier"]
            cells = [label, with_error(barrier["loss"], None), with_error(percent(barrier["error"]), None)]
            rows.append(Row([*cells, summary["samples"]]))
        said = [f"{row.cells[0]} {row.cells[1]}" for row in rows]
        unit = results[0].summary.get("loss_unit", "nat")
        where = "position t (0: first, 1: second network)"
        charts = [Lines("Loss along the way", where, with_unit("loss", unit), loss)]
        charts += [Lines("Error along the way", where, "error (%)", error)] if error else []
        heads = ("way", with_unit("barrier of the loss", unit), "barrier of the error (points)", "examples")
        words = with_unit("Barrier, the largest rise above the straight line between the ends", unit)
        return View(f"{words}: {listed(said)}.", charts, [Table("Barriers", heads, rows)])


def _label(result: Result, networks: Networks) -> str:
    ends = " to ".join(networks.called(sha256) for sha256 in result.sha256)
    aligned = "" if result.summary["align"] == "none" else ", aligned"
    return f"{ends}, {result.summary['kind']}{aligned}"
