"""What a mask leaves of each layer, and how far masks agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from figures.page.content.charts import Chart, Lines, Maps, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.quantised import quantised
from figures.page.content.results import Result
from figures.page.content.section import Section, listed


@dataclass(frozen=True)
class Masks(Section):
    """The section on what masks leave: results of `pruning.masks`."""

    name: ClassVar[str] = "masks"
    place: ClassVar[int] = 80
    title: ClassVar[str] = "Mask"
    measure: ClassVar[str] = "masks"
    command: ClassVar[str] = "python -m pruning.masks {pruned}"
    question: ClassVar[str] = (
        "Which weights were kept, are they still on a path from input to output, and do masks agree?"
    )
    caveat: ClassVar[str] = (
        "Kept weights that no path uses are counted as parameters but compute nothing. That two masks keep the same "
        "weights means something only beside what independent masks of the same counts would share."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Vysogorets and Kempe 2023, Connectivity Matters: Neural Network Pruning Through the Lens of Effective "
        "Sparsity",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """The share of each layer's weights that is kept and reachable; overlaps of masks measured together."""
        names = list(dict.fromkeys(_name(layer) for each in results for layer in each.summary["layers"]))
        series = [one for each in results for one in _series(each, networks)]
        x = "layer, in forward order"
        charts: list[Chart] = [Lines("Weights left", x, "weights left (%)", series, names, layers=True, log=True)]
        charts += _overlaps(results, networks)
        said = [
            f"{networks.label(each)} keeps {_percent(each.summary['kept'], each.summary['total'])}, of which "
            f"{_percent(each.summary['reachable'], each.summary['kept'])} are on a path"
            for each in results
        ]
        return View(f"{listed(said)}.", charts, [_table(results, networks)])


def _name(layer: dict[str, object]) -> str:
    return str(layer["name"]).removesuffix(".weight")


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / max(whole, 1):.3g} %"


def _series(result: Result, networks: Networks) -> list[Series]:
    layers, label, place = result.summary["layers"], networks.label(result), networks.place(result)
    names = [_name(layer) for layer in layers]
    found = []
    for key, words, look in (("kept", "kept", {}), ("reachable", "on a path", {"dash": "dot", "hidden": True})):
        share = [100 * layer[key] / layer["total"] for layer in layers]
        said = [f"{layer[key]:,} of {layer['total']:,} {words}" for layer in layers]
        found.append(Series(f"{label}, {words}" if look else label, names, share, place, None, said, look=look))
    return found


def _overlaps(results: Sequence[Result], networks: Networks) -> list[Maps]:
    """Jaccard indices of the masks that were measured together."""
    files: dict[object, list[Result]] = {}
    for each in results:
        files.setdefault(each.path, []).append(each)
    maps = []
    for group in files.values():
        if len(group) > 1 and "jaccard" in group[0].summary:
            labels = [networks.label(each) for each in group]
            values = quantised(np.array([each.summary["jaccard"] for each in group]), bits=16)
            drawn = {"network": None, "layer": "", "values": values, "x": labels, "y": labels}
            maps.append(drawn | {"words": "share of the weights kept by either that both keep"})
    return [Maps("Overlap of the masks", "", "", "Jaccard index", maps)] if maps else []


def _table(results: Sequence[Result], networks: Networks) -> Table:
    rows = []
    for each in results:
        for layer in each.summary["layers"]:
            cells = [networks.label(each), _name(layer), layer["total"], layer["kept"], layer["reachable"]]
            cells += [_percent(layer["kept"], layer["total"]), layer["units"], layer["disconnected"]]
            rows.append(Row(cells, networks.place(each), _name(layer)))
    heads = ("network", "layer", "weights", "kept", "on a path", "kept (%)", "units", "units cut off")
    return Table("Each layer's mask", heads, rows)
