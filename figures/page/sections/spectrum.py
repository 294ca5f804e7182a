"""Eigenvalues of the Hessian, their density, and the trace of each layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from figures.drawing.captions import with_unit
from figures.page.content.charts import Lines, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, comparable, finished, listed, of_weights, trainings
from figures.page.content.seeds import median_tables, median_words, medians
from minima.store.table import with_error

LARGEST = "largest eigenvalue"
ALONG = "The largest eigenvalue over training."
POINTS = 256
"""of a density's curve"""


@dataclass(frozen=True)
class Spectrum(Section):
    """The section on eigenvalues and their density: results of `landscape.hessian`."""

    name: ClassVar[str] = "spectrum"
    place: ClassVar[int] = 20
    title: ClassVar[str] = "Spectrum of the curvature"
    measure: ClassVar[str] = "hessian"
    command: ClassVar[str] = "python -m landscape.hessian {checkpoint} --density --trace 20"
    question: ClassVar[str] = (
        "Along how many directions is the loss curved, how strongly, in which layers, and are there outliers, a few "
        "eigenvalues far beyond the bulk of the others?"
    )
    caveat: ClassVar[str] = (
        "Eigenvalues are scale-dependent: a rescaled network, with the very same function, would show others. Removed "
        "weights do not count unless it says full space. At a point with a large gradient this is not the curvature "
        "of a minimum."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Sagun et al. 2017, Empirical Analysis of the Hessian of Over-Parametrized Neural Networks",
        "Ghorbani, Krishnan and Xiao 2019, An Investigation into Neural Net Optimization via Hessian Eigenvalue "
        "Density",
        "Hutchinson 1990 (trace)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Eigenvalues by rank, the density, traces by layer; the largest over training."""
        results = [each for each in results if each.summary["eigenvalues"]]
        networks, done = networks.telling(results), finished(results)
        charts = [chart for group in comparable(results).values() for chart in _charts(group, networks)]
        alike = medians(done, networks.label, lambda each: {LARGEST: each.summary["eigenvalues"][0]})
        said = " ".join(_says(group, networks) for group in comparable(done).values()) or ALONG
        said += median_words(alike, LARGEST)
        return View(said, charts, [*_tables(results, networks), *median_tables(alike)])


def _charts(results: Sequence[Result], networks: Networks) -> list[Lines]:
    """Of results that can be compared with each other: finished networks, then trainings."""
    done, charts = finished(results), []
    unit = with_unit("eigenvalue", results[0].summary["loss_unit"])
    if done:
        series = [_by_rank(each, networks) for each in done]
        charts.append(Lines(of_weights("Largest eigenvalues", done), "rank", unit, series))
    charts += [*_densities(done, networks), *_layers(done, networks)]
    courses = [_course(moments, networks) for moments in trainings(results).values()]
    if courses:
        title = of_weights("Largest eigenvalue over training", results)
        charts.append(Lines(title, "moment", unit, courses))
    return charts


def _errors(summary: dict[str, Any]) -> list[float | None] | None:
    return summary.get("data_stderr_new")


def _by_rank(result: Result, networks: Networks) -> Series:
    values = result.summary["eigenvalues"]
    said = f"{result.summary['operator']}, space: {result.summary['subspace']}"
    place = networks.place(result)
    ranks = range(1, len(values) + 1)
    return Series(networks.label(result), ranks, values, place, _errors(result.summary), [said] * len(values))


def _densities(results: Sequence[Result], networks: Networks) -> list[Lines]:
    """Smoothed densities of all eigenvalues; thinned where the eye cannot tell."""
    series = []
    for each in results:
        density = each.summary.get("density")
        if density:
            support, values = np.array(density["support"]), np.array(density["values"], dtype=float)
            step = max(1, len(support) // POINTS)
            heights = np.maximum.reduceat(values, range(0, len(values), step))
            floor = heights.max() * 1e-6
            series.append(
                Series(
                    networks.label(each),
                    support[::step].tolist(),
                    np.where(heights > floor, heights, np.nan).tolist(),
                    networks.place(each),
                    mode="lines",
                )
            )
    title = of_weights("Density of all eigenvalues", results) if series else ""
    return [Lines(title, "eigenvalue", "density", series, log=True)] if series else []


def _layers(results: Sequence[Result], networks: Networks) -> list[Lines]:
    """The trace of each layer's block, and its largest eigenvalue where it was asked for."""
    charts = []
    for title, value in (("Trace of each layer's block", "trace"), ("Largest eigenvalue of each block", "eigenvalue")):
        here = [(each, layers) for each in results if (layers := _blocks(each.summary, value))]
        names = list(dict.fromkeys(layer["name"] for _, layers in here for layer in layers))
        series = [_block_series(networks.label(each), networks.place(each), layers, value) for each, layers in here]
        if series:
            unit = here[0][0].summary["loss_unit"]
            words = with_unit(value, unit)
            charts.append(
                Lines(of_weights(title, results), "layer, in forward order", words, series, names, layers=True)
            )
    return charts


def _blocks(summary: dict[str, Any], value: str) -> list[dict[str, Any]]:
    """The layers of a summary for which this number was measured: with --trace, or with --per-layer."""
    every = [summary.get("layer_traces") or [], summary.get("layers") or []]
    found = [[layer for layer in layers if layer.get(value) is not None] for layers in every]
    return found[0] or found[1]


def _block_series(label: str, place: int, layers: Sequence[dict[str, Any]], value: str) -> Series:
    errors = [layer.get("stderr", layer.get("trace_stderr")) if value == "trace" else None for layer in layers]
    return Series(label, [layer["name"] for layer in layers], [layer[value] for layer in layers], place, errors)


def _course(moments: Sequence[Result], networks: Networks) -> Series:
    values = [each.summary["eigenvalues"][0] for each in moments]
    return Series(networks.label(moments[0]), [each.moment for each in moments], values, networks.place(moments[0]))


def _says(results: Sequence[Result], networks: Networks) -> str:
    said = []
    for each in sorted(results, key=lambda each: -each.summary["eigenvalues"][0]):
        errors, outliers = _errors(each.summary), each.summary.get("outliers")
        words = f"{networks.label(each)} {with_error(each.summary['eigenvalues'][0], errors[0] if errors else None)}"
        if outliers:
            words += f" ({'' if outliers['complete'] else 'at least '}{outliers['count']} outliers beyond the bulk)"
        said.append(words)
    return f"Largest eigenvalue: {listed(said)}."


def _tables(results: Sequence[Result], networks: Networks) -> list[Table]:
    rows, blocks = [], []
    for each in results:
        summary, place = each.summary, networks.place(each)
        at = networks.label(each) + ("" if each.moment is None else f", moment {each.moment}")
        errors, trace = _errors(summary) or [None] * len(summary["eigenvalues"]), summary.get("trace") or {}
        for rank, (value, error, residual) in enumerate(
            zip(summary["eigenvalues"], errors, summary["residuals"], strict=True), 1
        ):
            rows.append(Row([at, rank, with_error(value, error), f"{residual:.1e}"], place))
        if trace:
            words = with_error(trace["value"], trace["stderr"])
            rows.append(Row([at, "trace", words, "-"], place))
        for layer in _blocks(summary, "trace"):
            words = with_error(layer["trace"], layer.get("stderr", layer.get("trace_stderr")))
            blocks.append(Row([at, layer["name"], words], place, layer["name"]))
    tables = [Table("Eigenvalues, with the errors that other examples would make", _HEADS, rows)]
    return tables + ([Table("Trace of each layer", ("network", "layer", "trace"), blocks)] if blocks else [])


_HEADS = ("network", "rank", "value", "residual")
