"""`python -m entropy.psp CKPT`: how class-specific a network's neurons are (PSP-entropy)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from store.command import BadInput, note, run
from zoo.measuring import Measuring, measure_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from entropy.layer import LayerEntropy
    from entropy.measurement import Request
    from store.results import Place
    from zoo.evaluation import Level
    from zoo.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Psp(Measuring):
    """How class-specific a network's neurons are: PSP-entropy, in bits, with its error."""

    split: Literal["train", "test"] = "test"
    """which examples; train includes what training held out for validation"""
    order: int = 1
    """neurons whose states are looked at jointly: 1, 2 (all pairs of a layer), or n (sampled tuples)"""
    tuples: int = 2000
    """tuples in a sample: at --order 3 and above, and of layers with too many pairs"""
    pairs: Literal["auto", "all", "sampled"] = "auto"
    """at --order 2, whether to look at all pairs of a layer or a sample; auto: all where that takes seconds"""
    neurons: Literal["position", "channel"] = "position"
    """in feature maps, whether each position is a neuron (as published) or each channel, its positions pooled"""
    compat: Literal["published"] | None = None
    """published: keep frequencies within 1e-4 and 1 - 1e-4, as the authors' code does"""
    group_by: Path | None = None
    """an .npy with a group for each example of the split, to be held against the states instead of the class"""
    permutations: int = 0
    """random permutations of the labels, to test whether the states tell anything of them"""
    selectivity: bool = False
    """also the selectivity index of each neuron, from its mean activation per class (Morcos et al. 2018)"""
    ties: bool = False
    """also count the potentials that are zero to rounding, whose states another machine may find otherwise"""


def compute(subject: Subject, place: Place, arguments: Psp) -> dict[str, Any]:
    """Measure a subject, write every neuron's numbers to its place, and return what the JSON object says of it."""
    from entropy.grouping import read_groups
    from entropy.layer import network_mean
    from entropy.recording import write_layer
    from zoo.evaluation import Level

    labels, classes = subject.y, subject.classes
    if arguments.group_by is not None:
        labels, classes = read_groups(arguments.group_by, subject)
    level = Level()
    layers, skipped = _layers(subject, labels, classes, arguments, level)
    absent = [label for label, count in enumerate(layers[-1].observed) if count == 0]
    _explain(subject, layers, skipped, absent)
    place.scale("psp/class", list(range(classes)), "1", "class label" if arguments.group_by is None else "group")
    for layer in layers:
        write_layer(layer, place)
    reached = level.evaluation()
    return {
        "loss": reached.loss,
        "accuracy": reached.accuracy,
        "order": arguments.order,
        "neurons": arguments.neurons,
        "compat": arguments.compat,
        "grouped_by": arguments.group_by and str(arguments.group_by),
        "classes": classes,
        "absent_classes": absent,
        "network_mean": network_mean(layers),
        "layers": [layer.summary() for layer in layers],
    }


def _layers(
    subject: Subject, labels: Tensor, classes: int, arguments: Psp, level: Level
) -> tuple[list[LayerEntropy], dict[str, tuple[int, ...]]]:
    """One pass over the examples, whose outputs `level` sees as well."""
    from entropy.measurement import measure

    def see(logits: Tensor, rows: Tensor) -> None:
        level.add(logits, subject.y[rows.to(subject.y.device)])

    return measure(
        subject.model,
        subject.x,
        labels,
        classes,
        neurons=arguments.neurons,
        batch_size=subject.batch_size,
        available=subject.available,
        request=replace(_request(arguments), output=see),
    )


def _request(arguments: Psp) -> Request:
    from entropy.measurement import PUBLISHED_CLAMP, Request, Together

    if arguments.permutations < 0:
        raise BadInput(f"--permutations {arguments.permutations}: expected 0 or more")
    return Request(
        together=Together(arguments.order, arguments.tuples, arguments.seed, arguments.pairs),
        clamp=PUBLISHED_CLAMP if arguments.compat == "published" else 0.0,
        permutations=arguments.permutations,
        selectivity=arguments.selectivity,
        ties=arguments.ties,
    )


def main(arguments: Psp) -> Any:
    """Measure every checkpoint named on the command line."""
    from entropy.psp_table import table
    from entropy.shared_alive import conclude

    def compute_with_flags(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, arguments)

    return measure_each(arguments, "psp", compute_with_flags, table, conclude=conclude)


def _explain(
    subject: Subject,
    layers: Sequence[LayerEntropy],
    skipped: dict[str, tuple[int, ...]],
    absent: list[int],
) -> None:
    """Say what the numbers leave out."""
    if len(layers) == 1:
        note(f"{subject.name}: no elementwise activation was found: the output layer is all there is to measure")
    if len(layers[-1].observed) - len(absent) < 2:
        note(f"{subject.name}: all examples are of one class: the states cannot tell anything of it")
    if absent:
        note(f"{subject.name}: no examples of class {', '.join(map(str, absent))}: left out of every sum")
    for name, shape in skipped.items():
        note(f"{subject.name}: {name} {shape} is activated without one row per example: no neurons there")


if __name__ == "__main__":
    run(Psp, main, prog="python -m entropy.psp")
