"""`python -m entropy.layers CKPT`: the entropy of a network's layers, and which of their rectifiers could go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from entropy.estimator import Estimator, estimators
from store.command import BadInput, Report, note, run
from store.table import render_table
from zoo.measuring import Measuring, measure_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entropy.rectifiers import Rectifier
    from store.results import Place
    from zoo.subject import Subject


PUBLISHED_BATCH = 128
"""examples per mini-batch in the code of EGP and EASIER"""

COLUMNS = {
    "name": "layer",
    "neurons": "channels",
    "entropy": "entropy",
    "always_on": "always on",
    "always_off": "always off",
    "removable": "removable",
    "max_output_change": "output change",
    "weight": "weight",
    "weights_left": "left",
    "importance": "importance",
    "budget": "would lose",
}


@dataclass(frozen=True, kw_only=True)
class Layers(Measuring):
    """Entropy of each layer's rectifier, in bits (EGP, NEPENTHE, EASIER), and whether it could be left out.

    A neuron is a channel, its positions pooled, whatever the class. The papers look at the train split: --split train.
    """

    split: Literal["train", "test"] = "test"
    """which examples; train, as in the papers, includes what training held out for validation"""
    batch_size: int | None = None
    """memory knob: examples per chunk; results do not depend on it, but for those of --compat published"""
    estimator: str = "egp"
    """egp: over channels in both states; nepenthe: a potential of 0 does not count; easier: 0 is ON"""
    compat: Literal["published"] | None = None
    """published: average the entropies of mini-batches, as the published code does; the result then depends on
    --batch-size (default there: 128) and on the order of the examples"""
    zeta: float | None = None
    """fraction of the weights to remove: adds how many of them EGP's rule takes from each layer"""

    def chosen(self) -> Estimator:
        """The estimator named, and flags that make sense."""
        known = estimators()
        if self.estimator not in known:
            raise BadInput(f"--estimator {self.estimator}: known are {', '.join(known)}")
        if self.zeta is not None and not 0 < self.zeta <= 1:
            raise BadInput(f"--zeta {self.zeta}: expected a fraction of the weights, above 0 and at most 1")
        return known[self.estimator]()


def compute(subject: Subject, place: Place, arguments: Layers) -> dict[str, Any]:
    """Measure a subject, write its layers to its place, and return what the JSON object says of them."""
    from entropy.rectifiers import budgets, rectifiers

    estimator, published = arguments.chosen(), arguments.compat == "published"
    batch_size = arguments.batch_size or PUBLISHED_BATCH if published else subject.batch_size
    layers, skipped = rectifiers(subject.model, subject.x, estimator, batch_size=batch_size, published=published)
    if not layers:
        raise BadInput(
            f"{subject.name}: expected a network with elementwise activations (ReLU, GELU, ...), found none: there is "
            "no layer to look at.\nOf its output layer, type: python -m entropy.psp"
        )
    _explain(subject, layers, skipped)
    entries = [layer.summary() for layer in layers]
    if arguments.zeta is not None:
        planned = budgets(layers, arguments.zeta)
        entries = [entry | {"budget": planned.get(entry["name"])} for entry in entries]
    _write(place, layers, entries)
    tolerances = [layer.change.tolerance for layer in layers if layer.change]
    return {
        "estimator": estimator.name,
        "compat": arguments.compat,
        "batch_size": batch_size if published else None,
        "zeta": arguments.zeta,
        "output_tolerance": tolerances[0] if tolerances else None,
        "remove_next": estimator.removes({layer.name: layer.entropy for layer in layers}),
        "layers": entries,
    }


def table(summary: dict[str, Any]) -> str:
    """What a person reads: one line a layer, and what the columns are."""
    estimator = estimators()[summary["estimator"]]
    keys = [key for key in COLUMNS if key in summary["layers"][0]]
    rows = [[entry[key] for key in keys] for entry in summary["layers"]]
    removable = [entry["name"] for entry in summary["layers"] if entry["removable"]]
    level = "of the whole data set, whatever the batch size"
    if summary["compat"]:
        level = f"as published: mean over mini-batches of {summary['batch_size']} (depends on --batch-size)"
    text = f"""\
Layer entropies ({estimator.name.upper()}, {estimator.paper}), in bits, {level}.
Over {summary["samples"]:,} examples ({summary["split"]}; the papers use train); a channel is a neuron.

{render_table([COLUMNS[key] for key in keys], rows)}

{estimator.meaning}
removable: no channel has potentials of both signs, and the outputs are the same without the rectifier
importance: entropy times mean |weight| over the weights left

can go without changing an output: {_listed(removable)}
{estimator.name.upper()} takes out next: {_listed(summary["remove_next"])}"""
    if summary["zeta"] is None:
        return text
    return f"{text}\nwould lose: weights that EGP's rule takes from the layer when {summary['zeta']:g} of them go"


def main(arguments: Layers) -> Report:
    """Measure every checkpoint named on the command line."""
    arguments.chosen()
    return measure_each(arguments, "layers", lambda subject, place: compute(subject, place, arguments), table)


def _write(place: Place, layers: Sequence[Rectifier], entries: Sequence[dict[str, Any]]) -> None:
    """A line for each layer in /layers, and every channel's counts under /layers/channels/LAYER."""
    place.scale("layers/layer", [layer.name for layer in layers], "1", "the activation's input, in forward order")
    columns = {
        "entropy": ("bit", "layer entropy"),
        "neurons": ("1", "channels"),
        "always_on": ("1", "channels that are ON for every example"),
        "always_off": ("1", "channels that are never ON"),
        "removable": ("1", "1 if the outputs are the same without the activation"),
        "max_output_change": ("1", "largest change of a logit without the activation; NaN where it is needed"),
        "weights_left": ("1", "weights that are not zero; NaN where there is no single weight tensor"),
        "importance": ("bit", "entropy times mean magnitude of the weights left"),
        "budget": ("1", "weights the layer would lose by EGP's rule"),
    }
    for key, (units, meaning) in columns.items():
        if key in entries[0]:
            values = [float("nan") if entry[key] is None else float(entry[key]) for entry in entries]
            place.write(f"layers/{key}", values, ("layer",), units, meaning)
    place.write("layers/weight", [entry["weight"] or "" for entry in entries], ("layer",), "1", "name of the weight")
    for layer in layers:
        group, signs = f"layers/channels/{layer.name}", layer.signs
        place.scale(f"{group}/neuron", list(range(signs.observed.size)), "1", "channel")
        place.write(f"{group}/p_on", layer.estimator.p_on(signs), ("neuron",), "1", "frequency of ON")
        for sign in ("negative", "zero", "positive"):
            counts = getattr(signs, sign)
            place.write(f"{group}/{sign}", counts, ("neuron",), "1", f"number of {sign} potentials, positions pooled")


def _explain(subject: Subject, layers: Sequence[Rectifier], skipped: dict[str, tuple[int, ...]]) -> None:
    """Say what the numbers leave out."""
    lost = [layer.name for layer in layers if layer.weight is None]
    if lost:
        note(f"{subject.name}: no single weight makes the input of {', '.join(lost)}: no importance there")
    for name, shape in skipped.items():
        note(f"{subject.name}: {name} {shape} is activated without one row per example: no neurons there")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


if __name__ == "__main__":
    run(Layers, main, prog="python -m entropy.layers")
