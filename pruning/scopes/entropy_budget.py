"""Layers lose weights the sooner the less their neurons' states tell (EGP, NEPENTHE: Liao et al. 2023, 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput
from minima.zoo.examples.batches import default_batch_size
from pruning.context.counts import alive_counts, size
from pruning.scopes.each_layer import apportion

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class EntropyBudget:
    """What a cut removes is shared out by `layer_budget`, the importance of a layer being the entropy of
    its neurons over the whole training part times the mean magnitude of its weights.

    Beyond the published rule, counts are exact: see `losses`.
    """

    estimator: Literal["egp", "nepenthe"]
    least: float = 0.0
    """of what pruning every layer alike would leave in it, the part that stays in any case"""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise BadInput(f"--least {self.least}: expected a fraction, 0 to 1")

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:
        living = alive_counts(alive)
        density = kept / size(alive)
        spare = {
            name: living[name] - min(living[name], int(self.least * density * mask.numel()))
            for name, mask in alive.items()
        }
        lost = losses(self.importance(context), spare, sum(living.values()) - kept)
        return [((name,), living[name] - lost[name]) for name in living]

    def importance(self, context: Context) -> dict[str, float]:
        """Entropy of its neurons times mean magnitude of its weights, for each layer that feeds a rectifier."""
        from entropy.layers.estimator import estimators
        from entropy.layers.rectifiers import by_weight, rectifiers

        estimator = estimators()[self.estimator]()
        run: dict[str, Any] = {"batch_size": default_batch_size(context.x), "picked": context.task.picked}
        layers, _ = rectifiers(context.model, context.x, estimator, **run)
        return {weight: layer.importance or 0.0 for weight, layer in by_weight(layers).items()}


def losses(importance: Mapping[str, float], spare: Mapping[str, int], removed: int) -> dict[str, int]:
    """How many weights each tensor loses: `removed` altogether, none more than it can spare.

    The budget is that of the tensors with an importance above 0. What its whole numbers leave over is taken from the
    least important of them; once they can spare no more, from the other tensors, in proportion to what these can.

    >>> losses({"a": 0.1, "b": 0.05, "c": 0.01}, {"a": 1000, "b": 1000, "c": 1000, "head": 100}, 1500)
    {'a': 91, 'b': 409, 'c': 1000, 'head': 0}
    """
    from entropy.layers.budget import layer_budget

    ranked = sorted((name for name in importance if importance[name] > 0 and spare[name]), key=importance.__getitem__)
    room = sum(spare[name] for name in ranked)
    part = min(1.0, removed / room) if room else 0.0
    lost = dict.fromkeys(spare, 0) | layer_budget({name: importance[name] for name in ranked}, spare, part)
    for name in ranked:
        lost[name] += min(spare[name] - lost[name], removed - sum(lost.values()))
    others = {name: spare[name] for name in spare if name not in ranked}
    return lost | apportion(others, others, removed - sum(lost.values()))
