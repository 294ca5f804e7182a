"""Curvature over training beside what the optimiser bears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.drawing.captions import with_unit
from figures.page.content.charts import Lines, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, trainings
from minima.store.table import with_error

CURVES = {
    "lambda_max": ("largest eigenvalue of the full loss", {"colour": "#0072B2"}),
    "batch_sharpness": ("batch sharpness", {"colour": "#D55E00", "dash": "dash"}),
    "threshold": ("what the optimiser bears", {"colour": "#000000", "dash": "dot"}),
}


@dataclass(frozen=True)
class Stability(Section):
    """The section on sharpness over a training: results of `landscape.stability`."""

    name: ClassVar[str] = "stability"
    place: ClassVar[int] = 90
    title: ClassVar[str] = "Training at the edge of stability"
    measure: ClassVar[str] = "stability"
    command: ClassVar[str] = "python -m landscape.stability {trajectory}"
    question: ClassVar[str] = "Did the training go as far into sharp regions as its learning rate lets it?"
    caveat: ClassVar[str] = (
        "The threshold is that of a quadratic loss and this optimiser; weight decay is added to the curvatures of "
        "the pictures, and mini-batches lower what is borne."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Cohen et al. 2021, Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability",
        "Andreyev and Beneventano 2024, Edge of Stochastic Stability (batch sharpness)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Curvatures and threshold over the steps of each training."""
        charts, said = [], []
        for name, moments in trainings(results).items():
            steps = [each.summary["update"] for each in moments]
            series = []
            for key, (words, look) in CURVES.items():
                decay = [0 if key == "threshold" else each.summary["weight_decay"] for each in moments]
                values = [_sum(each.summary[key], extra) for each, extra in zip(moments, decay, strict=True)]
                errors = [each.summary.get(f"{key}_stderr") for each in moments]
                series.append(Series(words, steps, values, None, errors, look=look))
            charts.append(
                Lines(
                    f"{name}: curvature over training",
                    "step",
                    with_unit("curvature", moments[0].summary["loss_unit"]),
                    series,
                )
            )
            last = moments[-1].summary
            ends = f"{with_error(last['lambda_max'], None)} of {with_error(last['threshold'], None)}"
            said.append(f"{name} ends at a largest eigenvalue of {ends} that its optimiser bears")
        return View(f"{'; '.join(said)}.", charts, [_table(results, networks)])


def _sum(value: float | None, extra: float) -> float | None:
    return None if value is None else value + extra


def _table(results: Sequence[Result], networks: Networks) -> Table:
    rows = []
    for each in results:
        summary = each.summary
        batch = with_error(summary["batch_sharpness"], summary.get("batch_sharpness_stderr"))
        cells = [networks.label(each), summary["update"], with_error(summary["loss"], None)]
        cells += [with_error(summary["lambda_max"], None), batch, with_error(summary["threshold"], None)]
        rows.append(Row(cells, networks.place(each)))
    heads = ("training", "step", "loss", "largest eigenvalue", "batch sharpness", "threshold")
    return Table("Each moment", heads, rows)
