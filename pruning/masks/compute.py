"""What masks have left of each layer, and how far several of them overlap."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.packing import pack_bits
from minima.store.command import BadInput
from minima.store.hdf5 import record
from minima.store.memory import require_room
from minima.zoo.anatomy.paths.reachability import reach, shape_of
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.needs import pass_bytes
from pruning.masks.overlap import overlap_of_bits
from pruning.masks.training_cost import training_cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minima.store.hdf5.results import Place
    from minima.zoo.anatomy.paths.reachability import Layer
    from minima.zoo.subject.subject import Subject
from pruning.masks.numbers import COUNTS, PAIRWISE, PATHS

OF_A_MARK = 40
"""bytes that the marks of a weight take, with its mask, its gradient and the constants beside them"""
OF_THE_WAY_BACK = 10
"""times a pass, what the marks of one example take, kept for the way back"""


def _layers(subject: Subject) -> list[Layer]:
    """The layers with what lies on paths."""
    try:
        return reach(subject.model, shape_of(subject.x), subject.masks)
    except BadInput as error:
        raise BadInput(f"{subject.name}: {error}") from error
    except Exception as error:  # the user's own code may raise anything on marks in the place of numbers
        said = str(error).strip().partition("\n")[0]
        raise BadInput(
            f"{subject.name}: paths through this network cannot be followed: {type(error).__name__}: {said}"
        ) from error


def compute(subject: Subject, place: Place, memory: float) -> dict[str, Any]:
    """Look at a subject's masks, write every layer's counts to its place, return what the JSON object says of it."""
    _require_room(subject, place, memory)
    found = _layers(subject)
    if not found:
        raise BadInput(f"{subject.name}: the network has no convolution or linear weights: there is nothing to count")
    layers = [_counts(layer) for layer in found]
    _write(found, layers, place)
    whole = {key: sum(values) for key, values in record.by_key(COUNTS, layers).items()}
    total = whole["total"]
    cost = training_cost(subject.checkpoint, len(subject.dataset.x_train), whole["multiply_adds"], total)
    return whole | {
        "sparsity": (total - whole["kept"]) / total,
        "effective_sparsity": (total - whole["reachable"]) / total,
        "empty_layers": [each["name"] for each in layers if not each["kept"]],
        "training_multiply_adds": None if cost is None else asdict(cost),
        "layers": layers,
    }


def _require_room(subject: Subject, place: Place, memory: float) -> None:
    """Say what memory and room on disk it takes, or refuse it: marks of an example's pass there and back, and bits."""
    weights = sum(weight.numel() for weight in prunable(subject.model).values())
    bits = 2 * weights // 8  # kept and reachable
    place.foresee(bits)
    marks = OF_A_MARK * weights + OF_THE_WAY_BACK * pass_bytes(subject.model, subject.x)
    results = place.places * bits
    require_room(max(marks + results, 2 * results), memory, f"following {weights:,} weights", "fewer checkpoints")


def _counts(layer: Layer) -> dict[str, Any]:
    total, kept, reachable = layer.mask.numel(), int(layer.mask.sum()), int(layer.reachable.sum())
    return {
        "name": layer.name,
        "total": total,
        "kept": kept,
        "reachable": reachable,
        "units": len(layer.fed),
        "unfed": int((~layer.fed).sum()),
        "unread": int((~layer.read).sum()),
        "disconnected": int((~(layer.fed & layer.read)).sum()),
        "multiply_adds": total * layer.positions,
        "multiply_adds_kept": kept * layer.positions,
        "multiply_adds_reachable": reachable * layer.positions,
    }


def _write(found: Sequence[Layer], counts: Sequence[dict[str, Any]], place: Place) -> None:
    place.scale("masks/layer", [layer.name for layer in found], "1", "weight of a convolution or linear layer")
    record.write(place, "masks", COUNTS, counts)
    for layer in found:
        group = f"masks/{layer.name}"
        place.scale(f"{group}/unit", range(len(layer.fed)), "1", "unit or channel")
        record.write(place, group, PATHS, vars(layer))
        bits = {"kept": pack_bits(layer.mask), "reachable": pack_bits(layer.reachable)}
        place.scale(f"{group}/byte", range(len(bits["kept"])), "1", "eight weights, row by row")
        for key, packed in bits.items():
            place.write(f"{group}/{key}", packed, ("byte",), "1", f"a bit for each weight, 1 = {key}, highest first")


def conclude(places: list[Place], summaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hold the masks of several checkpoints against one another, two by two, as the bits they are in the file."""
    layers = {layer["name"]: layer["total"] for layer in summaries[0]["layers"]}
    masks = [{name: place.read(f"masks/{name}/kept") for name in layers} for place in places]
    concluded = []
    for place, own, summary in zip(places, masks, summaries, strict=True):
        pairs = [overlap_of_bits(own, other, layers) for other in masks]
        numbers = {each.key: [getattr(pair, each.key)() for pair in pairs] for each in PAIRWISE}
        by_layer = [each.beside("by_layer", each.long_name) for each in PAIRWISE]
        of_layers = {each.key: [getattr(pair, each.key)() for pair in pairs] for each in by_layer}
        place.scale("masks/other", range(len(masks)), "1", "the checkpoint it is compared with, counted from 0")
        record.write(place, "masks", PAIRWISE, numbers)
        record.write(place, "masks", [replace(each, dims=("other", "layer")) for each in by_layer], of_layers)
        concluded.append(summary | numbers)
    return concluded
