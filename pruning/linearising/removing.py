"""What is left of a network whose rectifiers were put out: layers merged and units removed, and what it then costs."""

from __future__ import annotations

from typing import Any

from torch import nn

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.command import BadInput
from minima.zoo.anatomy.costs.critical_path import critical_path
from minima.zoo.examples.inputs import Inputs
from pruning.context.latency import latency
from pruning.shrink.compute import shrink_network
from pruning.shrink.merging import Merge, cost_of
from pruning.shrink.writing import smaller


def removed(
    made: Checkpoint, model: nn.Module, x: Inputs, parent: str, merge: Merge
) -> tuple[Checkpoint, nn.Module, list[str]]:
    """The checkpoint and its network made physically smaller, and what is to be said; as they were where that cannot be
    done exactly."""
    try:
        found = shrink_network(
            model, x, made.masks, fold_batch_norm=True, vanishing="keep-one", stuck="keep", merge=merge
        )
    except BadInput as refusal:
        return made, model, [f"nothing was merged or removed: {refusal}"]
    return smaller(made, found, parent), found.model, list(found.notes)


def costs(wide: nn.Module, small: nn.Module, x: Inputs, examples: int) -> dict[str, Any]:
    """What a network costs before and after: the longest path, parameters, multiply-adds of one example, and the time
    of a forward pass.
    """
    both = {"before": wide, "after": small}
    taken = {when: cost_of(model, x) for when, model in both.items()}
    return {
        "critical_path": {when: critical_path(model, x[:1]) for when, model in both.items()},
        "parameters": {when: cost.parameters for when, cost in taken.items()},
        "multiply_adds": {when: cost.multiply_adds for when, cost in taken.items()},
        "latency": {**latency(wide, small, x[:examples]), "examples": len(x[:examples])},
    }
