"""What a scorer is asked with: the state of a run, about a network and data of one's own."""

from dataclasses import replace
from functools import lru_cache

import torch
from oracles.pruning_battery import Run

from minima.zoo.anatomy.prunable import prunable
from pruning.context.context import Context
from pruning.methods.random import Random


@lru_cache(maxsize=1)
def _some_context() -> Context:
    return Run(Random().composition(), stop_after=1).engine.context()


def context_of(model, x, y, masks=None, **fields) -> Context:
    """Before the first cut, with the masks given; removed weights of the model are zeroed."""
    weights = prunable(model)
    masks = {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()} | (masks or {})
    with torch.no_grad():
        for name, weight in weights.items():
            weight.mul_(masks[name])
    at = {"model": model, "weights": weights, "masks": masks, "x": x, "y": y, "cuts": 0, "seed": 0, "batch_size": 8}
    return replace(_some_context(), **at | fields)
