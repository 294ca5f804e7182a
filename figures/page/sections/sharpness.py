"""Sharpness measures, each on its own scale, the invariant ones beside those that are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from figures.page.content.charts import Lines, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, comparable, finished, listed, of_weights, trainings
from figures.page.content.seeds import median_tables, median_words, medians
from minima.store.table import to_one_place, with_error

INVARIANCE = {"none": "changes under rescaling", "layer": "same under layer rescaling", "unit": "same under rescaling"}
SURE = 2
"""errors that two networks must be apart to be told apart"""
ALONG = "Sharpness over training, moment by moment."
HEADLINE = {"lambda_max": "by the largest curvature", "adaptive_lambda_max": "by its rescaling-invariant form"}


@dataclass(frozen=True)
class Sharpness(Section):
    """The section on measures of sharpness: results of `landscape.sharpness`."""

    name: ClassVar[str] = "sharpness"
    place: ClassVar[int] = 10
    title: ClassVar[str] = "Sharpness"
    measure: ClassVar[str] = "sharpness"
    command: ClassVar[str] = "python -m landscape.sharpness {checkpoint}"
    question: ClassVar[str] = (
        "How fast does the loss rise around the weights, and does the order of the networks hold when rescaling, which "
        "leaves a network's function as it is, is taken out?"
    )
    caveat: ClassVar[str] = (
        "A measure that changes under rescaling is scale-dependent: a rescaled network, with the very same function, "
        "would show another number. A sharper minimum by one measure need not be sharper by another, nor "
        "generalise worse."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Keskar et al. 2017, On Large-Batch Training for Deep Learning (keskar)",
        "Dinh et al. 2017, Sharp Minima Can Generalize For Deep Nets (why invariance matters)",
        "Foret et al. 2021, Sharpness-Aware Minimization (sam); Kwon et al. 2021, ASAM (adaptive measures)",
        "Li et al. 2018, Visualizing the Loss Landscape of Neural Nets (filter_normalised)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """A small chart for each measure; over training where there are moments."""
        networks, done = networks.telling(results), finished(results)
        measures = list(dict.fromkeys(name for each in results for name in each.summary["measures"]))
        groups = [*comparable(results).values()]
        charts = [chart for group in groups for chart in _charts(group, networks, measures)]
        alike = medians(done, networks.label, _values)
        said = " ".join(_says(group, networks) for group in comparable(done).values()) or ALONG
        said += "".join(median_words(alike, measure) for measure in HEADLINE)
        return View(said, charts, [_table(results, networks, measures), *median_tables(alike)])


def _charts(results: Sequence[Result], networks: Networks, measures: Sequence[str]) -> list[Lines]:
    """Of results that can be compared with each other: finished networks, then trainings."""
    done, courses = finished(results), trainings(results)
    charts = [_beside(done, networks, measure) for measure in measures if _having(done, measure)]
    along = [each for course in courses.values() for each in course]
    return charts + [_over_training(courses, networks, measure) for measure in measures if _having(along, measure)]


def _values(result: Result) -> dict[str, float | None]:
    return {name: taken["value"] for name, taken in result.summary["measures"].items()}


def _having(results: Sequence[Result], measure: str) -> list[Result]:
    return [each for each in results if measure in each.summary["measures"]]


def _taken(result: Result, measure: str) -> dict[str, Any]:
    taken: dict[str, Any] = result.summary["measures"][measure]
    return taken


def _error(taken: dict[str, Any]) -> float | None:
    """The larger of the errors of draws and of examples."""
    errors = [taken.get(kind) for kind in ("data_stderr_new", "stderr", "seed_stderr")]
    return max((error for error in errors if error is not None), default=None)


def _heading(results: Sequence[Result], measure: str) -> tuple[str, str]:
    here = _having(results, measure)[0]
    kind = _taken(here, measure)["invariant"]
    units = _units(here, measure)
    return of_weights(f"{measure}: {INVARIANCE.get(kind, kind)}", results), "" if units == "1" else units


def _units(result: Result, measure: str) -> str:
    """A measure's unit; curvatures and rises are in that of the loss."""
    units = result.units.get(measure, "1")
    return str(result.summary["loss_unit"]) if units == "nat" else units


def _beside(results: Sequence[Result], networks: Networks, measure: str) -> Lines:
    title, units = _heading(results, measure)
    series = []
    for each in _having(results, measure):
        taken, label = _taken(each, measure), networks.label(each)
        said = [title.partition(": ")[2]]
        place = networks.place(each)
        series.append(Series(label, [label], [taken["value"]], place, [_error(taken)], said, "markers"))
    return Lines(title, "", units, series, [each.label for each in series], small=True)


def _over_training(courses: dict[str, list[Result]], networks: Networks, measure: str) -> Lines:
    every = [each for course in courses.values() for each in course]
    title, units = _heading(every, measure)
    series = []
    for course in courses.values():
        here = _having(course, measure)
        if here:
            values = [_taken(each, measure)["value"] for each in here]
            errors = [_error(_taken(each, measure)) for each in here]
            place = networks.place(here[0])
            series.append(Series(networks.label(here[0]), [each.moment for each in here], values, place, errors))
    return Lines(f"over training, {title}", "moment", units, series, small=True)


def _says(results: Sequence[Result], networks: Networks) -> str:
    """Who is sharper by a scale-dependent measure, and by an invariant one."""
    sentences = []
    for measure, words in HEADLINE.items():
        here = [each for each in _having(results, measure) if _taken(each, measure)["value"] is not None]
        ordered = sorted(here, key=lambda each: -_taken(each, measure)["value"])
        said = [
            f"{networks.label(each)} {with_error(_taken(each, measure)['value'], _error(_taken(each, measure)))}"
            for each in ordered
        ]
        if said:
            order = "Sharpest first" if len(said) > 1 else "Sharpness"
            sentences.append(f"{order}, {words}: {listed(said)}{_unsure(ordered, measure)}.")
    return " ".join(sentences)


def _unsure(ordered: Sequence[Result], measure: str) -> str:
    """Words on the first two of some networks where their errors do not tell them apart."""
    if len(ordered) < 2:
        return ""
    (first, one), (second, other) = (
        (_taken(each, measure)["value"], _error(_taken(each, measure)) or 0.0) for each in ordered[:2]
    )
    apart = first - second > SURE * math.hypot(one, other)
    return "" if apart else " (the first two differ by less than two of their errors: which is sharper is not known)"


def _table(results: Sequence[Result], networks: Networks, measures: Sequence[str]) -> Table:
    rows = []
    for measure in measures:
        for each in _having(results, measure):
            taken = _taken(each, measure)
            at = networks.label(each) + ("" if each.moment is None else f", moment {each.moment}")
            draws = taken.get("stderr") if taken.get("stderr") is not None else taken.get("seed_stderr")
            value = float("nan") if taken["value"] is None else taken["value"]
            numbers = to_one_place(value, draws, taken.get("data_stderr_new"))
            rows.append(Row([measure, at, *numbers, _units(each, measure), taken["invariant"]], networks.place(each)))
    heads = ("measure", "network", "value", "± of draws", "± of examples", "unit", "invariant under rescaling of")
    return Table("Every measure of every network, with its errors", heads, rows)
