"""Which layers a network computes the same without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from figures.page.content.charts import Lines, Row, Series, Table, View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.page.content.section import Section, finished, listed
from minima.store.table import with_error


@dataclass(frozen=True)
class Layers(Section):
    """The section on each layer's entropy: results of `entropy.layers`."""

    name: ClassVar[str] = "layers"
    place: ClassVar[int] = 70
    title: ClassVar[str] = "Which layer could go?"
    measure: ClassVar[str] = "layers"
    command: ClassVar[str] = "python -m entropy.layers {checkpoint}"
    question: ClassVar[str] = "Is there a layer whose rectifier never switches, so that the network can do without?"
    caveat: ClassVar[str] = (
        "A low entropy makes a layer a candidate, not superfluous: only one that is marked as removable was left out "
        "and gave the same outputs, on these examples."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Liao et al. 2023, Can Unstructured Pruning Reduce the Depth in Deep Neural Networks? (EGP)",
        "Liao et al. 2024, NEPENTHE; Quétu et al. 2024, The Simpler The Better (EASIER)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Entropies by layer, and a table that says which can go."""
        done = finished(results)
        names = list(dict.fromkeys(layer["name"] for each in done for layer in each.summary["layers"]))
        series = [_series(each, networks) for each in done]
        title, x = "Entropy of each layer's rectifier", "layer, in forward order"
        charts = [Lines(title, x, "entropy (bit)", series, names, layers=True)] if series else []
        return View(_says(done, networks), charts, [_table(results, networks)])


def _removable(layer: dict[str, Any]) -> str:
    return "can go: the outputs stay the same" if layer["removable"] else "cannot go without changing an output"


def _series(result: Result, networks: Networks) -> Series:
    layers = result.summary["layers"]
    said = [_removable(layer) for layer in layers]
    values, names = [layer["entropy"] for layer in layers], [layer["name"] for layer in layers]
    return Series(networks.label(result), names, values, networks.place(result), None, said)


def _says(results: Sequence[Result], networks: Networks) -> str:
    said = []
    for each in results:
        gone = [layer["name"] for layer in each.summary["layers"] if layer["removable"]]
        lowest = [layer for layer in each.summary["layers"] if layer["entropy"] is not None]
        candidate = min(lowest, key=lambda layer: layer["entropy"])["name"] if lowest else "-"
        needed = f"needs every layer (lowest entropy: {candidate})"
        said.append(f"{networks.label(each)} {f'computes the same without {listed(gone)}' if gone else needed}")
    return f"{listed(said)}." if said else "Layers over training."


def _table(results: Sequence[Result], networks: Networks) -> Table:
    rows = []
    for each in results:
        at = networks.label(each) + ("" if each.moment is None else f", moment {each.moment}")
        for layer in each.summary["layers"]:
            cells = [at, layer["name"], layer["neurons"], with_error(layer["entropy"], None)]
            cells += [layer["always_on"], layer["always_off"], _removable(layer), layer.get("weights_left")]
            rows.append(Row(cells, networks.place(each), layer["name"]))
    heads = ("network", "layer", "neurons", "entropy (bit)", "always on", "always off", "can it go?", "weights left")
    return Table("Each layer", heads, rows)
