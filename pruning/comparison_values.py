"""What a comparison's finished cells say, each as one flat object, and their summary over seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruning.comparison import MEASURES, Cell, Comparison

if TYPE_CHECKING:
    from pruning.composition import Start
    from store.checkpoint import Checkpoint

VALUES = {
    "error": "share of the test examples classified wrong",
    "sparsity": "share of the prunable weights removed",
    "effective_sparsity": "share of them removed or on no path from the input to the output",
    "empty_layers": "layers without a weight",
    "disconnected": "units that are on no path",
    "multiply_adds_reachable": "multiply-adds of the reachable weights for one example",
    "training_dense": "multiply-adds of all training, parent's included, as dense hardware spends them",
    "training_by_density": "the same, each step times the density that the network had",
    "psp_entropy": "mean PSP-entropy of the hidden neurons, in bits",
    "psp_entropy_alive": "the same of those that are neither dead nor always on",
}
"""of every cell; beside them the measures of sharpness, by name"""


def values_of(cell: Cell) -> dict[str, Any]:
    """The numbers in a finished cell's files.

    Raises:
        BadInput: a file is not there.
    """
    masks, sharpness, psp = (_summary(Path(cell.result(measure))) for measure in MEASURES)
    own, before = masks["training_multiply_adds"], _parent_cost(cell)
    hidden = [layer for layer in psp["layers"] if not layer["output"]]
    alive = [layer["neurons"] - layer["dead"] - layer["always_on"] for layer in hidden]
    sums = [count * layer["alive_mean"] for count, layer in zip(alive, hidden, strict=True) if count]
    return {
        "error": 1 - masks["accuracy"],
        **{key: masks[key] for key in ("sparsity", "effective_sparsity", "disconnected", "multiply_adds_reachable")},
        "empty_layers": len(masks["empty_layers"]),
        "training_dense": own["dense"] + before["dense"],
        "training_by_density": own["by_density"] + before["by_density"],
        "psp_entropy": psp["network_mean"],
        "psp_entropy_alive": sum(sums) / sum(alive) if sum(alive) else None,
        **{name: measure["value"] for name, measure in sharpness["measures"].items()},
    }


def invariances(cell: Cell) -> dict[str, str]:
    """The measures of sharpness by name, and under what rescaling of the network each stays."""
    return {name: each["invariant"] for name, each in _summary(Path(cell.result("sharpness")))["measures"].items()}


def rows(comparison: Comparison, found: Sequence[tuple[Cell, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """A row for each arm and sparsity: median and quartiles over the seeds that are there."""
    import numpy as np

    for arm, sparsity in dict.fromkeys((cell.called, cell.sparsity) for cell in comparison.cells()):
        own = [values for cell, values in found if (cell.called, cell.sparsity) == (arm, sparsity)]
        row: dict[str, Any] = {"arm": arm, "asked": sparsity, "seeds": len(own)}
        for key in own[0] if own else ():
            numbers = [values[key] for values in own if values[key] is not None and math.isfinite(values[key])]
            quartiles = np.percentile(numbers, [25, 50, 75]).tolist() if numbers else [None] * 3
            row[key] = dict(zip(("low", "median", "high"), quartiles, strict=True))
        yield row


def _summary(path: Path) -> dict[str, Any]:
    from store.hdf5 import opened
    from store.results import FORMAT, VERSION

    with opened(path, FORMAT, VERSION) as file:
        found: dict[str, Any] = json.loads(file.attrs["summary"])[0]
    return found


def _parent_cost(cell: Cell) -> dict[str, float]:
    """Of the part of its parent's training that a network goes on from."""
    from store.checkpoint import load

    if cell.arm is None:
        return {"dense": 0.0, "by_density": 0.0}
    parent = load(Path(cell.parent.checkpoint))
    share = _epochs_used(cell.arguments().method.composition().start, parent) / max(1, parent.training["epochs"])
    whole = _summary(Path(cell.parent.result("masks")))["training_multiply_adds"]
    return {key: share * value for key, value in whole.items()}


def _epochs_used(start: Start, parent: Checkpoint) -> int:
    """How many epochs of the parent's training lie behind the weights a method starts from."""
    weights = start.weights(parent)
    if weights is parent.state:
        return int(parent.training["epochs"])
    return next((epoch for epoch, kept in parent.weights_at.items() if weights is kept), 0)
