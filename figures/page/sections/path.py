"""Loss and error on the way between two networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.drawing.captions import with_unit
from figures.page.content.charts import Lines, Row, Series, Table, View, percent
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, listed
from figures.page.content.seeds import median_tables, median_words, medians
from figures.reading.measurements import stem
from minima.store.table import with_error

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@dataclass(frozen=True)
class Path(Section):
    """The section on the way between two networks: results of `landscape.path`."""

    name: ClassVar[str] = "path"
    place: ClassVar[int] = 50
    title: ClassVar[str] = "Ways between networks"
    measure: ClassVar[str] = "path"
    command: ClassVar[str] = "python -m landscape.path {checkpoint} {other}"
    question: ClassVar[str] = (
        "Is there a barrier of the loss between two networks, or do they lie in one valley, and how far apart are they?"
    )
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
            rows.append(Row([*cells, with_error(summary.get("distance"), None), summary["samples"]]))
        ways = [
            f"{way}: {height}, over a distance of {apart}" for way, height, _, apart, _ in (row.cells for row in rows)
        ]
        unit = results[0].summary.get("loss_unit", "nat")
        where = "position t (0: first, 1: second network)"
        charts = [Lines("Loss along the way", where, with_unit("loss", unit), loss)]
        charts += [Lines("Error along the way", where, "error (%)", error)] if error else []
        barriers = (with_unit("barrier of the loss", unit), "barrier of the error (points)")
        heads = ("way", *barriers, "distance of the ends", "examples")
        words = with_unit("Barrier, the largest rise above the straight line between the ends", unit)
        alike = medians(
            results, lambda each: _label(each, networks), lambda each: {words: each.summary["barrier"]["loss"]}
        )
        said = f"{words}. {listed(ways, separator='; ')}.{median_words(alike, words)}"
        return View(said, charts, [Table("Barriers", heads, rows), *median_tables(alike)])


def _label(result: Result, networks: Networks) -> str:
    known = [networks.called(sha256) for sha256 in result.sha256]
    ends = " to ".join(map(stem, result.names) if result.names else known)
    aligned = "" if result.summary["align"] == "none" else ", aligned"
    return f"{ends}, {result.summary['kind']}{aligned}"
