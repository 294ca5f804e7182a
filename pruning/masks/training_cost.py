"""What the training of a checkpoint has cost, in multiply-adds of its convolutions and linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from minima.store.checkpoints.checkpoint import sparsity

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint

PASSES = 3
"""a step in units of its forward pass: the backward pass has two products of that size, for inputs and for weights"""


@dataclass(frozen=True)
class TrainingCost:
    """Multiply-adds of all steps of one run."""

    dense: float
    """3 x multiply-adds of the dense network x examples seen: what hardware without sparse arithmetic spends"""
    by_density: float
    """the same, each step times the fraction of the prunable weights it kept: what sparse arithmetic could save"""


def training_cost(checkpoint: Checkpoint, examples: int, multiply_adds: int, total: int) -> TrainingCost | None:
    """What the run that wrote the checkpoint cost, without its parent's; None of a checkpoint that does not say.

    A layer's density is taken to be the network's. What a method spends on scores, validation and choice is not in it.

    Args:
        examples: in the train split, of which the run may have held some out.
        multiply_adds: of the dense network, for one example.
        total: number of prunable weights.
    """
    training, metrics = checkpoint.training, checkpoint.metrics
    if "epochs" not in training:
        return None
    epochs = metrics.get("epochs", training["epochs"])
    cuts = [(cut["epoch"], cut["survivors"] / total) for cut in metrics.get("cuts", [])]
    begun = metrics.get("initial_sparsity", 0.0 if cuts else sparsity(checkpoint.masks))
    course = [(0.0, 1 - begun), *cuts, (epochs, 0.0)]
    by_density = sum((end - begin) * density for (begin, density), (end, _) in pairwise(course))
    per_epoch = PASSES * multiply_adds * (examples - round(training.get("validation", 0.0) * examples))
    return TrainingCost(per_epoch * epochs, per_epoch * by_density)
