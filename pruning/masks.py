"""`python -m pruning.masks CKPT...`: what a mask has left of a network, layer by layer, and how far masks overlap."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from store.command import BadInput, Report, render_table, run
from zoo.measuring import Measuring, measure_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pruning.reachability import Layer
    from store.results import Place
    from zoo.subject import Subject

COUNTS = {
    "total": "weights",
    "kept": "weights that the mask keeps",
    "reachable": "kept weights on a path from the input to the output",
    "units": "units or channels that the layer makes",
    "unfed": "units to which no path leads from the input: they compute a constant",
    "unread": "units from which no path leads to the output",
    "disconnected": "units that are unfed or unread",
    "multiply_adds": "multiply-adds of the layer for one example, nothing removed",
    "multiply_adds_kept": "multiply-adds of the kept weights",
    "multiply_adds_reachable": "multiply-adds of the reachable weights",
}
"""what is counted in each layer"""
PAIRWISE = {
    "jaccard": "weights kept by both / by either",
    "jaccard_expected": "the same of independent masks with as many weights in each layer",
    "excess": "by how many standard deviations both keep more in common than independent masks do",
}
"""what is said of two masks, of the whole network and of each layer"""


@dataclass(frozen=True, kw_only=True)
class Masks(Measuring):
    """What a mask has left of a network: weights, empty layers, units cut off, the weights on a path from the input to
    the output (effective sparsity), multiply-adds; of several checkpoints also how far they keep the same weights."""

    split: Literal["train", "test"] = "test"
    """of which examples loss and accuracy are; train includes what training held out for validation"""


def compute(subject: Subject, place: Place) -> dict[str, Any]:
    """Look at a subject's masks, write every layer's counts to its place, return what the JSON object says of it."""
    from pruning.reachability import reach
    from pruning.training_cost import training_cost

    found = reach(subject.model, tuple(subject.x.shape[1:]), subject.masks)
    if not found:
        raise BadInput(f"{subject.name}: the network has no convolution or linear weights: there is nothing to count")
    layers = [_counts(layer) for layer in found]
    _write(found, layers, place)
    whole = {key: sum(each[key] for each in layers) for key in COUNTS}
    total = whole["total"]
    cost = training_cost(subject.checkpoint, len(subject.dataset.x_train), whole["multiply_adds"], total)
    return whole | {
        "sparsity": (total - whole["kept"]) / total,
        "effective_sparsity": (total - whole["reachable"]) / total,
        "empty_layers": [each["name"] for each in layers if not each["kept"]],
        "training_multiply_adds": None if cost is None else asdict(cost),
        "layers": layers,
    }


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
    from store.packing import pack_bits

    place.scale("masks/layer", [layer.name for layer in found], "1", "weight of a convolution or linear layer")
    for key, meaning in COUNTS.items():
        place.write(f"masks/{key}", [each[key] for each in counts], ("layer",), "1", meaning)
    for layer in found:
        group = f"masks/{layer.name}"
        place.scale(f"{group}/unit", range(len(layer.fed)), "1", "unit or channel")
        place.write(f"{group}/fed", layer.fed, ("unit",), "1", "whether a path leads here from the input")
        place.write(f"{group}/read", layer.read, ("unit",), "1", "whether a path leads from here to the output")
        bits = {"kept": pack_bits(layer.mask), "reachable": pack_bits(layer.reachable)}
        place.scale(f"{group}/byte", range(len(bits["kept"])), "1", "eight weights, row by row")
        for key, packed in bits.items():
            place.write(f"{group}/{key}", packed, ("byte",), "1", f"a bit for each weight, 1 = {key}, highest first")


def conclude(places: list[Place], summaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hold the masks of several checkpoints against one another, two by two."""
    from pruning.overlap import overlap

    layers = {layer["name"]: layer["total"] for layer in summaries[0]["layers"]}
    masks = [_read(place, layers) for place in places]
    concluded = []
    for place, own, summary in zip(places, masks, summaries, strict=True):
        pairs = [overlap(own, other) for other in masks]
        numbers = {key: [getattr(pair, key)() for pair in pairs] for key in PAIRWISE}
        place.scale("masks/other", range(len(masks)), "1", "the checkpoint it is compared with, counted from 0")
        for key, meaning in PAIRWISE.items():
            place.write(f"masks/{key}", numbers[key], ("other",), "1", meaning)
            of_layers = [getattr(pair, f"{key}_by_layer")() for pair in pairs]
            place.write(f"masks/{key}_by_layer", of_layers, ("other", "layer"), "1", meaning)
        concluded.append(summary | numbers)
    return concluded


def _read(place: Place, layers: dict[str, int]) -> dict[str, NDArray[np.bool_]]:
    """Which weights are kept, layer by layer."""
    import numpy as np

    return {
        name: np.unpackbits(place.read(f"masks/{name}/kept"), count=total).astype(bool)
        for name, total in layers.items()
    }


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each layer, the sums, and what they mean."""
    columns = ("total", "kept", "reachable", "units", "disconnected", "multiply_adds", "multiply_adds_reachable")
    rows = [[layer["name"], *(layer[key] for key in columns)] for layer in summary["layers"]]
    rows.append(["all", *(summary[key] for key in columns)])
    headers = ("weight", "weights", "kept", "reachable", "units", "cut off", "multiply-adds", "reachable")
    empty = summary["empty_layers"]
    lines = [
        f"{100 * summary['sparsity']:.5g}% of {summary['total']:,} weights removed, "
        f"{100 * summary['effective_sparsity']:.5g}% removed or on no path from the input to the output",
        f"accuracy {summary['accuracy']:.2%} on {summary['samples']:,} examples ({summary['split']})",
        "",
        render_table(headers, rows),
        "",
        "cut off: units that no path from the input leads to (they compute a constant) or from which none leads to the",
        "output. Multiply-adds: of convolutions and linear layers, for one example, if removed weights cost nothing.",
        f"empty layers: {', '.join(empty)}" if empty else "no layer is empty",
    ]
    if "jaccard" in summary:
        shown = [[key.replace("_", " "), *summary[key]] for key in PAIRWISE]
        lines += ["", "Beside the checkpoints in the order of the command line:"]
        lines.append(render_table(["", *(str(n + 1) for n in range(len(summary["jaccard"])))], shown))
    return "\n".join(lines)


def main(arguments: Masks) -> Report:
    """Look at every checkpoint named on the command line."""
    return measure_each(arguments, "masks", compute, table, conclude=conclude)


if __name__ == "__main__":
    run(Masks, main, prog="python -m pruning.masks", description=__doc__ or "")
