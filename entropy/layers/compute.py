"""The entropy of each layer's rectifier, and whether it could be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, note
from minima.store.memory import GIB
from minima.store.room import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entropy.layers.estimator import Estimator
    from entropy.layers.rectifiers import Rectifier
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from entropy.layers.flags import Layers

PUBLISHED_BATCH = 128
"""examples per mini-batch in the code of EGP and EASIER"""


def compute(subject: Subject, place: Place, arguments: Layers) -> dict[str, Any]:
    """Measure a subject, write its layers to its place, and return what the JSON object says of them."""
    from entropy.layers.rectifiers import budgets

    estimator, published = arguments.chosen(), arguments.compat == "published"
    layers, batch_size = layers_of(
        subject, estimator, published=published, batch_size=arguments.batch_size, memory=arguments.memory
    )
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


def layers_of(
    subject: Subject,
    estimator: Estimator,
    *,
    published: bool = False,
    batch_size: int | None = None,
    memory: float = DEFAULT,
) -> tuple[Sequence[Rectifier], int]:
    """The rectifiers of a subject's network by an estimator, and the examples at once that they were found with.

    Raises:
        BadInput: it has no elementwise activations, or looking at them takes more than `memory` GiB.
    """
    from entropy.layers.rectifiers import rectifiers

    size = batch_size or PUBLISHED_BATCH if published else subject.batch_size
    size = _with_room(subject, size, memory, fixed=published)
    run: dict[str, Any] = {"batch_size": size, "published": published, "picked": subject.task.picked}
    layers, skipped = rectifiers(subject.model, subject.x, estimator, **run)
    if not layers:
        raise BadInput(
            f"{subject.name}: expected a network with elementwise activations (ReLU, GELU, ...), found none: there is "
            "no layer to look at.\nOf its output layer, type: python -m entropy.psp"
        )
    _explain(subject, layers, skipped)
    return layers, size


def _with_room(subject: Subject, size: int, memory: float, *, fixed: bool) -> int:
    """`size` examples at once, or as many as `memory` GiB hold, where the result does not depend on it."""
    from minima.store.memory import foreseen_within, require_room
    from minima.zoo.examples.needs import pass_bytes

    each = pass_bytes(subject.model, subject.x)
    if not fixed:
        size = max(1, min(size, int(foreseen_within(memory * GIB) // each)))
    own = min(size, len(subject.x))
    require_room(own * each, memory, f"looking at {own} examples at once", "a smaller --batch-size")
    return size


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
    from minima.zoo.anatomy.sites import told_unseen

    lost = [layer.name for layer in layers if layer.weight is None]
    if lost:
        note(f"{subject.name}: no single weight makes the input of {', '.join(lost)}: no importance there")
    for told in told_unseen(subject.model, skipped):
        note(f"{subject.name}: {told}")
