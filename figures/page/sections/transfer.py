"""Accuracy on other data beside the entropy there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.page.content.charts import Lines, Row, Series, Table, View, percent
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, finished, listed
from minima.store.table import with_error

KINDS = {"probe": "linear probe", "fine_tuned": "fine-tuned"}


@dataclass(frozen=True)
class Transfer(Section):
    """The section on other data: results of `entropy.transfer`."""

    name: ClassVar[str] = "transfer"
    place: ClassVar[int] = 120
    title: ClassVar[str] = "Transfer to other data"
    measure: ClassVar[str] = "transfer"
    command: ClassVar[str] = "python -m entropy.transfer {checkpoint} --to DATA"
    question: ClassVar[str] = "Do networks with more entropy learn other data better?"
    caveat: ClassVar[str] = (
        "Intervals are of the target's test examples only, not of other trainings; a few networks rank by chance."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Tartaglione, Bragagnolo and Grangetto 2020, Pruning artificial neural networks: a way to find "
        "well-generalizing, high-entropy sharp minima",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Accuracy against entropy, for the probe and after fine-tuning."""
        done = finished(results)
        charts, rows = [], []
        for kind, words in KINDS.items():
            series = [
                Series(
                    networks.label(each),
                    [each.summary["entropy"]],
                    [percent(each.summary[f"{kind}_accuracy"])],
                    networks.place(each),
                    error=[_reach(each, kind, 1)],
                    below=[_reach(each, kind, 0)],
                    text=[_interval(each, kind)],
                    mode="markers",
                )
                for each in done
            ]
            title, x = f"Accuracy on the target, {words}", "mean PSP-entropy on the target (bit)"
            charts.append(Lines(title, x, "accuracy (%)", series, from_zero=False))
        for each in done:
            cells = [networks.label(each), each.summary["target"]["spec"], with_error(each.summary["entropy"], None)]
            rows.append(Row([*cells, _interval(each, "probe"), _interval(each, "fine_tuned")], networks.place(each)))
        said = [f"{networks.label(each)} {_interval(each, 'probe')}" for each in done]
        heads = ("network", "target", "entropy (bit)", "probe", "fine-tuned")
        return View(f"Linear probe: {listed(said)}.", charts, [Table("Accuracy on the target", heads, rows)])


def _reach(result: Result, kind: str, end: int) -> float | None:
    """From the accuracy to an end of its interval, in percentage points."""
    accuracy, ends = result.summary[f"{kind}_accuracy"], result.summary[f"{kind}_interval"]
    return None if accuracy is None or ends is None else 100 * abs(ends[end] - accuracy)


def _interval(result: Result, kind: str) -> str:
    accuracy, ends = result.summary[f"{kind}_accuracy"], result.summary[f"{kind}_interval"]
    if accuracy is None:
        return "not measured"
    words = f"{100 * accuracy:.1f} %"
    return words if ends is None else f"{words} (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f} %)"
