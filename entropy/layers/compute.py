"""The entropy of each layer's rectifier, and whether it could be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entropy.layers.rectifiers import budgets, rectifiers
from minima.store.command import BadInput, note
from minima.store.hdf5 import record
from minima.store.memory import GIB, foreseen_within, require_room
from minima.store.room import DEFAULT
from minima.zoo.anatomy.sites import told_unseen
from minima.zoo.examples.needs import pass_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entropy.layers.estimator import Estimator
    from entropy.layers.rectifiers import Rectifier
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from entropy.layers.flags import Layers
from entropy.layers.numbers import CHANNELS, NUMBERS

PUBLISHED_BATCH = 128
"""examples per mini-batch in the code of EGP and EASIER"""


def compute(subject: Subject, place: Place, arguments: Layers) -> dict[str, Any]:
    """Measure a subject, write its layers to its place, and return what the JSON object says of them."""
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
    each = pass_bytes(subject.model, subject.x)
    if not fixed:
        size = max(1, min(size, int(foreseen_within(memory * GIB) // each)))
    own = min(size, len(subject.x))
    require_room(own * each, memory, f"looking at {own} examples at once", "a smaller --batch-size")
    return size


def _write(place: Place, layers: Sequence[Rectifier], entries: Sequence[dict[str, Any]]) -> None:
    """A line for each layer in /layers, and every channel's counts under /layers/channels/LAYER."""
    place.scale("layers/layer", [layer.name for layer in layers], "1", "the activation's input, in forward order")
    record.write(place, "layers", [number for number in NUMBERS if number.key in entries[0]], entries)
    for layer in layers:
        group, signs = f"layers/channels/{layer.name}", layer.signs
        place.scale(f"{group}/neuron", list(range(signs.observed.size)), "1", "channel")
        record.write(place, group, CHANNELS, {"p_on": layer.estimator.p_on(signs)} | vars(signs))


def _explain(subject: Subject, layers: Sequence[Rectifier], skipped: dict[str, tuple[int, ...]]) -> None:
    """Say what the numbers leave out."""
    lost = [layer.name for layer in layers if layer.weight is None]
    if lost:
        note(f"{subject.name}: no single weight makes the input of {', '.join(lost)}: no importance there")
    for told in told_unseen(subject.model, skipped):
        note(f"{subject.name}: {told}")
