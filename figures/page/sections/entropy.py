"""Which neurons are on for which class, and how much of that each layer's entropy is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from figures.page.content.charts import Chart, Lines, Maps, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.quantised import quantised
from figures.page.content.results import Result
from figures.page.content.section import Section, finished, listed, trainings
from figures.page.content.seeds import median_tables, median_words, medians
from minima.store.table import with_error

MEAN = "mean entropy of hidden neurons (bit)"
COLUMNS = 256
"""of a map: where a layer has more neurons, a column is the mean of some"""
BUDGET = 2_000_000
"""cells of all maps together"""


@dataclass(frozen=True)
class Entropy(Section):
    """The section on how class-specific neurons are: results of `entropy.psp`."""

    name: ClassVar[str] = "entropy"
    place: ClassVar[int] = 60
    title: ClassVar[str] = "What neurons know: PSP-entropy"
    measure: ClassVar[str] = "psp"
    command: ClassVar[str] = "python -m entropy.psp {checkpoint}"
    arrays: ClassVar[tuple[str, ...]] = ("*/counts", "*/observed", "*/entropy")
    question: ClassVar[str] = "How class-specific are the neurons of each layer, and how many are dead or always on?"
    caveat: ClassVar[str] = (
        "Entropy counts on and off only, not how strongly a neuron fires, and counts each neuron by itself: low "
        "entropy may be a class-specific neuron or one that never changes: read dead and always-on neurons beside it."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Tartaglione, Bragagnolo and Grangetto 2020, Pruning artificial neural networks: a way to find "
        "well-generalizing, high-entropy sharp minima",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Means by layer, shares of neurons that never change, and which neuron is on for which class."""
        done = finished(results)
        charts: list[Chart] = []
        names = list(dict.fromkeys(layer["name"] for each in done for layer in _hidden(each)))
        x = "layer, in forward order"
        for title, alive in (("all neurons", False), ("alive neurons", True)):
            series = [_by_layer(each, networks, alive) for each in done]
            charts.append(Lines(f"Mean PSP-entropy, {title}", x, "entropy (bit)", series, names, layers=True))
        series = [_unchanging(each, networks) for each in done]
        charts.append(Lines("Neurons that never change", x, "dead or always on (%)", series, names, layers=True))
        maps = _maps(done, networks)
        if maps:
            whom = "for which class" if _grouped(done) else "for which share of the examples"
            title = f"Which neuron is on {whom}: a column a neuron, those that never change on the right"
            charts.append(Maps(title, "neurons", "class" if _grouped(done) else "", "share of examples", maps))
        charts = charts if done else []
        courses = [_course(moments, networks) for moments in trainings(results).values()]
        if courses:
            charts.append(Lines("PSP-entropy over training", "moment", MEAN, courses))
        alike = medians(done, networks.label, lambda each: {MEAN: _network_mean(each)})
        said = _says(done, networks) + median_words(alike, MEAN)
        return View(said, charts, [_table(results, networks), *median_tables(alike)])


def _grouped(results: Sequence[Result]) -> bool:
    """Whether there are classes to be on for, or all examples are one group."""
    return any(each.summary["classes"] > 1 for each in results)


def _hidden(result: Result) -> list[dict[str, Any]]:
    return [layer for layer in result.summary["layers"] if not layer["output"]]


def _array(result: Result, layer: str, name: str) -> NDArray[Any]:
    """An array of a layer; one that is called like another entry of the file has a _ behind its name there."""
    key = f"{layer}_/{name}"
    return result.arrays[key if key in result.arrays else f"{layer}/{name}"]


def _mean(result: Result, layers: Sequence[str], alive: bool = False) -> float | None:
    """Mean first-order entropy of these layers' neurons, whatever order the summary is of; None of no neuron."""
    kept = []
    for layer in layers:
        on, observed = _array(result, layer, "counts").sum(0), _array(result, layer, "observed").sum()
        entropy = _array(result, layer, "entropy")
        kept.append(entropy[(on > 0) & (on < observed)] if alive else entropy)
    together = np.concatenate(kept) if kept else np.empty(0)
    return float(together.mean()) if together.size else None


def _network_mean(result: Result) -> float | None:
    return _mean(result, [layer["name"] for layer in _hidden(result)])


def _error(result: Result, layer: dict[str, Any]) -> float | None:
    """The error for other images; that of pairs and tuples, which a summary of a higher order has, is none of these."""
    found: float | None = layer.get("stderr_new_images") if result.summary["order"] == 1 else None
    return found


def _by_layer(result: Result, networks: Networks, alive: bool) -> Series:
    layers = _hidden(result)
    names = [layer["name"] for layer in layers]
    errors = [None if alive else _error(result, layer) for layer in layers]
    values = [_mean(result, [name], alive) for name in names]
    return Series(networks.label(result), names, values, networks.place(result), errors)


def _unchanging(result: Result, networks: Networks) -> Series:
    layers = _hidden(result)
    share = [100 * (layer["dead"] + layer["always_on"]) / layer["neurons"] for layer in layers]
    said = [f"{layer['dead']} dead, {layer['always_on']} always on of {layer['neurons']}" for layer in layers]
    names = [layer["name"] for layer in layers]
    return Series(networks.label(result), names, share, networks.place(result), None, said)


def _course(moments: Sequence[Result], networks: Networks) -> Series:
    values = [_network_mean(each) for each in moments]
    return Series(networks.label(moments[0]), [each.moment for each in moments], values, networks.place(moments[0]))


def _maps(results: Sequence[Result], networks: Networks) -> list[dict[str, Any]]:
    """One image for each network and layer, neurons by their preferred class, those that never change last."""
    wanted = [(each, layer["name"]) for each in results for layer in _hidden(each)]
    classes = max((each.summary["classes"] for each in results), default=1)
    columns = int(max(16, min(COLUMNS, BUDGET / max(1, len(wanted) * classes))))
    found = []
    for each, name in wanted:
        counts = _array(each, name, "counts")
        shown, together = _ordered(counts, _array(each, name, "observed"), columns)
        words = f"{counts.shape[1]:,} neurons" + (f", a column the mean of {together}" if together > 1 else "")
        drawn = {"network": networks.place(each), "layer": name, "values": quantised(shown, bits=8)}
        found.append(drawn | {"x": None, "y": list(range(len(shown))), "words": words})
    return found


def _ordered(counts: NDArray[Any], observed: NDArray[Any], columns: int) -> tuple[NDArray[np.float64], int]:
    """P(ON | class), alive neurons by preferred class and selectivity, then those always on, then the dead."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p_on = counts / observed[:, None]
    filled = np.nan_to_num(p_on)
    total = counts.sum(0)
    group = np.where(total == 0, 2, np.where(total == observed.sum(), 1, 0))
    preferred, spread = filled.argmax(0), filled.max(0) - filled.mean(0)
    order = np.lexsort((-spread, np.where(group == 0, preferred, 0), group))
    ordered, together = p_on[:, order], int(np.ceil(p_on.shape[1] / columns))
    if together > 1:
        starts = range(0, ordered.shape[1], together)
        ordered = np.stack([ordered[:, start : start + together].mean(1) for start in starts], axis=1)
    return ordered, together


def _says(results: Sequence[Result], networks: Networks) -> str:
    said = [f"{networks.label(each)} {with_error(_network_mean(each), None)}" for each in results]
    if not said:
        return "Entropy over training, moment by moment."
    unit = "in bits summed over classes" if _grouped(results) else "in bits, of all examples together"
    return f"Mean PSP-entropy of all hidden neurons, {unit}: {listed(said)}."


def _table(results: Sequence[Result], networks: Networks) -> Table:
    rows = []
    for each in results:
        at = networks.label(each) + ("" if each.moment is None else f", moment {each.moment}")
        for layer in each.summary["layers"]:
            name = f"{layer['name']} (output)" if layer["output"] else layer["name"]
            mean = with_error(_mean(each, [layer["name"]]), _error(each, layer))
            cells = [at, name, layer["neurons"], mean, with_error(_mean(each, [layer["name"]], alive=True), None)]
            cells += [layer["dead"], layer["always_on"], with_error(layer.get("class_information_mean"), None)]
            rows.append(Row(cells, networks.place(each), layer["name"]))
    heads = (
        "network",
        "layer",
        "neurons",
        "mean entropy (bit)",
        "of alive ones",
        "dead",
        "always on",
        "class information",
    )
    return Table("Each layer's neurons", heads, rows)
