"""The criteria's scores of each layer of one network, and what statistics say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

    from pruning.context.criterion import Criterion
    from pruning.criteria.layers import Layers
from pruning.criteria.gaussian import Gaussianity, gaussianity
from pruning.criteria.statistics import spearman, variation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """The scores of one layer of one network by every criterion, and what tests say of its weights."""

    scores: Floats
    """(criteria, units left); NaN where a criterion says nothing of the layer"""
    spearman: Floats
    variation: Floats
    gaussian: Gaussianity


def compare(layers: Layers, chosen: dict[str, Criterion], model: nn.Module) -> dict[str, Compared]:
    """Score the units of every layer by every criterion, the weights being those of `model`."""
    scored = [layers.scores(criterion, model) for criterion in chosen.values()]
    found = {}
    for layer in layers.every:
        alive = layers.alive[layer.name].cpu()
        none = np.full(int(alive.sum()), np.nan)
        rows = [own[layer.name].double().cpu()[alive].numpy() if layer.name in own else none for own in scored]
        scores = np.array(rows, dtype=np.float64).reshape(len(rows), len(none))
        tested = gaussianity(layers.weights_of(layer, model))
        found[layer.name] = Compared(scores, spearman(scores), variation(scores), tested)
    return found
