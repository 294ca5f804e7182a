"""`python -m entropy.psp CKPT`: how class-specific a network's neurons are (first-order PSP-entropy)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from store.command import note, run
from store.table import format_cell, render_table
from zoo.measuring import Measuring, measure_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entropy.layer import LayerEntropy
    from store.results import Place
    from zoo.subject import Subject


COLUMNS = ("layer", "neurons", "mean", "of max", "std", "dead", "always on", "alive mean", "corrected", "±", "info")


TAKEN = ("class", "loss", "accuracy")
"""names in /psp that are no layers: a layer of such a name gets a _ behind it in the file"""


@dataclass(frozen=True, kw_only=True)
class Psp(Measuring):
    """How class-specific a network's neurons are: first-order PSP-entropy, in bits, with its error."""

    split: Literal["train", "test"] = "test"
    """which examples; train includes what training held out for validation"""
    order: Literal[1] = 1
    """of the states that are looked at jointly"""
    neurons: Literal["position", "channel"] = "position"
    """in feature maps, whether each position is a neuron (as published) or each channel, its positions pooled"""


def compute(subject: Subject, place: Place, neurons: Literal["position", "channel"] = "position") -> dict[str, Any]:
    """Measure a subject, write every neuron's numbers to its place, and return what the JSON object says of it."""
    from entropy.layer import network_mean
    from entropy.measurement import measure

    layers, skipped = measure(
        subject.model,
        subject.x,
        subject.y,
        subject.classes,
        neurons=neurons,
        batch_size=subject.batch_size,
        available=subject.available,
    )
    absent = [label for label, count in enumerate(layers[-1].observed) if count == 0]
    _explain(subject, layers, skipped, absent)
    place.scale("psp/class", list(range(subject.classes)), "1", "class label")
    for layer in layers:
        _write(layer, place)
    return {
        "order": 1,
        "neurons": neurons,
        "classes": subject.classes,
        "absent_classes": absent,
        "network_mean": network_mean(layers),
        "layers": [layer.summary() for layer in layers],
    }


def table(summary: dict[str, Any]) -> str:
    """What a person reads: one line a layer, and what the columns are."""
    bits = summary["classes"] - len(summary["absent_classes"])
    return f"""\
PSP-entropy, first order, in bits summed over {bits} classes: 0 is one state per class, {bits} a coin flip in each.
Over {summary["samples"]:,} examples ({summary["split"]}); a {summary["neurons"]} is a neuron.

{render_table(COLUMNS, [_row(layer, bits) for layer in summary["layers"]])}

mean over all hidden neurons: {format_cell(summary["network_mean"])} bit
dead: never on; alive mean: over the neurons that are neither dead nor always on
corrected: mean without the bias of few examples; ±: its standard error, had the images been others
info: what a neuron's state tells of the class, in bits (a dead neuron tells nothing)"""


def _row(layer: dict[str, Any], bits: int) -> list[Any]:
    return [
        layer["name"] + (" (output)" if layer["output"] else ""),
        layer["neurons"],
        layer["mean"],
        f"{layer['mean'] / bits:.0%}",
        layer["std"],
        layer["dead"],
        layer["always_on"],
        layer["alive_mean"],
        layer["corrected_mean"],
        layer["stderr_new_images"],
        layer["class_information_mean"],
    ]


def main(arguments: Psp) -> Any:
    """Measure every checkpoint named on the command line."""

    def compute_with_flags(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, arguments.neurons)

    return measure_each(arguments, "psp", compute_with_flags, table)


def _write(layer: LayerEntropy, place: Place) -> None:
    """Every neuron's numbers under /psp/LAYER."""
    group = f"psp/{layer.name}" + ("_" if layer.name in TAKEN else "")
    place.scale(f"{group}/neuron", list(range(layer.entropy.size)), "1", "neuron, in row-major order of `shape`")
    per_neuron = {
        "entropy": (layer.entropy, "first-order PSP-entropy, summed over classes"),
        "corrected_entropy": (layer.corrected, "PSP-entropy with the Miller-Madow correction, summed over classes"),
        "class_information": (layer.information, "mutual information of state and class"),
    }
    for name, (values, meaning) in per_neuron.items():
        place.write(f"{group}/{name}", values, ("neuron",), "bit", meaning)
    place.write(f"{group}/p_on", layer.p_on, ("class", "neuron"), "1", "frequency of ON given the class")
    place.write(f"{group}/counts", layer.counts, ("class", "neuron"), "1", "number of ON states")
    place.write(f"{group}/observed", layer.observed, ("class",), "1", "number of states looked at")
    place.attributes(group, shape=list(layer.shape), output=layer.output)


def _explain(
    subject: Subject,
    layers: Sequence[LayerEntropy],
    skipped: dict[str, tuple[int, ...]],
    absent: list[int],
) -> None:
    """Say what the numbers leave out."""
    if len(layers) == 1:
        note(f"{subject.name}: no elementwise activation was found: the output layer is all there is to measure")
    if absent:
        note(f"{subject.name}: no examples of class {', '.join(map(str, absent))}: left out of every sum")
    for name, shape in skipped.items():
        note(f"{subject.name}: {name} {shape} is activated without one row per example: no neurons there")


if __name__ == "__main__":
    run(Psp, main, prog="python -m entropy.psp")
