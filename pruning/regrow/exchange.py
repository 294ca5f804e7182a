"""Kept weights for removed ones, as many of each, in every tensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from landscape.objective.streams import stream
from pruning.context.drop import Drop, Layer
from pruning.regrow.dense_gradient import dense_gradients, hessian_gradients
from pruning.regrow.fraction import Fraction
from pruning.regrow.growth import Growth
from pruning.scorers.chance import uniform
from pruning.selection.ranking import keep_highest

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Exchange:
    """An exchange of weights: in each tensor R = int(f n) of the n kept go and R come, those that just went among the
    candidates.

    What comes is zero, with empty optimiser slots, unless it went in the same exchange: then it never left. Before the
    first step nothing is exchanged. All gradients are of one batch that is drawn at random, in eval mode: one forward
    and one backward pass an exchange, two and three more where a rule asks for H g, none where no rule asks.
    """

    drop: Drop
    growth: Growth
    fraction: Fraction

    def regrow(self, context: Context, masks: dict[str, Tensor]) -> dict[str, Tensor]:
        if not context.progress:
            return masks
        gradients, products = cache(lambda: dense_gradients(context)), cache(partial(hessian_gradients, context))
        share = self.fraction.at(context.progress)
        exchanged = {}
        for name, mask in masks.items():
            layer = Layer(
                weight=context.weights[name].detach(),
                gradient=partial(_of, gradients, name),
                product=lambda flow, name=name: products(flow)[name],  # type: ignore[misc]
                kept=mask,
                draw=partial(_draw, context, name),
            )
            moved = int(share * int(mask.sum()))
            stays = _highest(self._remembered(context, name, layer), mask, int(mask.sum()) - moved)
            exchanged[name] = stays | _highest(self.growth.score(layer), ~stays, moved)
        return exchanged

    def _remembered(self, context: Context, name: str, layer: Layer) -> Tensor:
        """The score, averaged over exchanges where the rule asks for it."""
        score, share = self.drop.score(layer), self.drop.memory
        if share:
            score = share * context.memory.get(name, score) + (1 - share) * score
            context.memory[name] = score
        return score


def _of(derivatives: Callable[[], dict[str, Tensor]], name: str) -> Tensor:
    return derivatives()[name]


def _highest(score: Tensor, among: Tensor, kept: int) -> Tensor:
    return keep_highest({"": score}, {"": among}, [(("",), kept)])[""]


def _draw(context: Context, name: str, purpose: str) -> Tensor:
    return uniform(context.weights[name], stream(context.seed, purpose, context.events, name))
