"""What a comparison's finished cells say, each as one flat object, and their summary over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from figures.study.comparison.comparison import FINISHED, MEASURES, UNFINISHED, Cell, Comparison
from figures.study.configuration.command_lines import prune_arguments, train_arguments
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in
from pruning.composition.layer_method import layer_methods

Found = tuple[Cell, str, Mapping[str, Any]]
"""a network, the stage, its numbers"""

VALUES = {
    "error": "share of the test examples classified wrong",
    "sparsity": "share of the prunable weights removed",
    "reached": "share removed of what the arm's share is of, where that is not the weights; of layers what names them",
    "effective_sparsity": "share of them removed or on no path from the input to the output",
    "empty_layers": "layers without a weight",
    "disconnected": "units that are on no path",
    "multiply_adds_reachable": "multiply-adds of the reachable weights for one example",
    "training_dense": "multiply-adds of all training, parent's included, as dense hardware spends them",
    "training_by_density": "the same, each step times the density that the network had",
    "further_training": "training after the parent's, in units of the parent's: multiply-adds, dense",
    "psp_entropy": "mean PSP-entropy of the hidden neurons, in bits",
    "psp_entropy_lowest": "the same of the hidden layer where it is lowest",
    "psp_entropy_alive": "the mean of those that are neither dead nor always on",
}
"""of every cell; beside them the measures of sharpness, by name"""

TAKEN_OVER = ("sparsity", "effective_sparsity", "disconnected", "multiply_adds_reachable")
"""what the summary of masks says itself"""


class Values:
    """The numbers in the files of a comparison's networks; what several of them rest on is read once."""

    def __init__(self) -> None:
        self._summary = cache(_summary)
        self._share_of_parent = cache(_share_of_parent)

    def of(self, cell: Cell, stage: str = UNFINISHED) -> dict[str, Any]:
        """Of one network, as left by the method or after the common finish.

        Raises:
            BadInput: a file is not there.
        """
        masks, sharpness, psp = (self._summary(cell.result(measure, stage)) for measure in MEASURES)
        cost = self._cost(cell, stage)
        hidden = [layer for layer in psp["layers"] if not layer["output"]]
        alive = [layer["neurons"] - layer["dead"] - layer["always_on"] for layer in hidden]
        sums = [count * layer["alive_mean"] for count, layer in zip(alive, hidden, strict=True) if count]
        return {
            "error": 1 - masks["accuracy"],
            **{
                key: masks[key] for key in ("sparsity", "effective_sparsity", "disconnected", "multiply_adds_reachable")
            },
            "reached": self._reached(cell, masks),
            "further_training": self._further(cell, masks),
            "empty_layers": len(masks["empty_layers"]),
            "training_dense": cost["dense"],
            "training_by_density": cost["by_density"],
            "psp_entropy": psp["network_mean"],
            "psp_entropy_lowest": min((layer["mean"] for layer in hidden), default=None),
            "psp_entropy_alive": sum(sums) / sum(alive) if sum(alive) else None,
            **{name: measure["value"] for name, measure in sharpness["measures"].items()},
        }

    def invariances(self, cell: Cell) -> dict[str, str]:
        """The measures of sharpness by name, and under what rescaling of the network each stays."""
        measures = self._summary(cell.result("sharpness"))["measures"]
        return {name: each["invariant"] for name, each in measures.items()}

    def _reached(self, cell: Cell, masks: Mapping[str, Any]) -> float | None:
        """The share removed of what the arm asks a share of; None where that is the sparsity."""
        if cell.arm is None or (cell.arm.measure == "sparsity" and cell.arm.method not in layer_methods()):
            return None
        if cell.arm.measure == "flops":
            whole = self._summary(cell.parent.result("masks"))["multiply_adds_reachable"]
            return float(1 - masks["multiply_adds_reachable"] / whole)
        return cell.sparsity  # the first cut at or beyond it: units are whole

    def _further(self, cell: Cell, masks: Mapping[str, Any]) -> float:
        if cell.arm is None:
            return 0.0
        parent = self._summary(cell.parent.result("masks"))["training_multiply_adds"]["dense"]
        return float(masks["training_multiply_adds"]["dense"] / parent) if parent else math.nan

    def _cost(self, cell: Cell, stage: str) -> dict[str, float]:
        """Of all training behind a network: its own, what it went on from, and the part of the parent's it went on
        from.
        """
        own: dict[str, float] = self._summary(cell.result("masks", stage))["training_multiply_adds"]
        if stage == FINISHED:
            before, share = self._cost(cell, UNFINISHED), 1.0
        elif cell.arm is None:
            return own
        else:
            before, share = self._cost(cell.parent, UNFINISHED), self._share_of_parent(replace(cell, seed=0))
        return {key: value + share * before[key] for key, value in own.items()}


def rows(comparison: Comparison, found: Sequence[Found]) -> Iterator[dict[str, Any]]:
    """A row for each arm, sparsity and stage: median and quartiles over the seeds that are there."""
    import numpy as np

    groups = dict.fromkeys((cell.called, cell.sparsity) for cell in comparison.cells())
    for (arm, sparsity), stage in product(groups, comparison.stages):
        own = [values for cell, at, values in found if (cell.called, cell.sparsity, at) == (arm, sparsity, stage)]
        row: dict[str, Any] = {"arm": arm, "asked": sparsity, "stage": stage, "seeds": len(own)}
        for key in own[0] if own else ():
            numbers = [values[key] for values in own if values[key] is not None and math.isfinite(values[key])]
            quartiles = np.percentile(numbers, [25, 50, 75]).tolist() if numbers else [None] * 3
            row[key] = dict(zip(("low", "median", "high"), quartiles, strict=True))
        yield row


def _summary(path: str) -> dict[str, Any]:
    with opened(Path(path), FORMAT, VERSION) as file:
        return summaries_in(file)[0]


def _share_of_parent(cell: Cell) -> float:
    """How much of its parent's training a method goes on from: the same for every seed."""
    epochs = used = train_arguments(cell.parent.made()).epochs
    if cell.arm is not None and cell.arm.method not in layer_methods():
        used = prune_arguments(cell.made()).method.composition().start.behind(epochs)
    return used / max(1, epochs)
