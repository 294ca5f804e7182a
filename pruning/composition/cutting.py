"""One cut: from scores to masks, by space, scope and selection of a composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.composition.keeping_path import with_path
from pruning.context.counts import alive_count, check_levels, check_shares
from pruning.scorers.agreement import Agreement, Estimate, Estimated, agreement
from pruning.scorers.scorer import scored
from pruning.selection.ranking import keep_highest

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.composition.composition import Composition
    from pruning.context.candidates import Candidates
    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Choice:
    """What a cut leaves: the masks, and how sure the scores are."""

    masks: dict[str, Tensor]
    estimate: Estimate
    agreement: Agreement | None
    """of two estimates of the scores; None where they are exact"""


def choose(parts: Composition, context: Context, target: int) -> dict[str, Tensor]:
    """Masks of the weights after a cut that leaves `target`, in what targets are counted in: what the selection wants
    to stay beside it stays, and of groups that are removed whole the last one may go beyond it."""
    return cut_by(parts, context, target, _pooled(parts, context, parts.scorer.score(context)))


def decide(parts: Composition, context: Context, target: int) -> Choice:
    """Masks of the weights after a cut, with a look at how sure the choice is."""
    scorer = parts.scorer
    estimate = scorer.estimate(context) if isinstance(scorer, Estimated) else Estimate(scorer.score(context))
    masks = cut_by(parts, context, target, _pooled(parts, context, estimate.scores))
    if estimate.pair is None:
        return Choice(masks, estimate, None)
    alive, kept = context.space.alive(context.masks), alive_count(context.space.alive(masks))
    first, second = (_pooled(parts, context, scores) for scores in estimate.pair)
    found = agreement((first, second), alive, lambda pooled: _highest(parts, context, kept, pooled))
    return Choice(masks, estimate, found)


def cut_by(parts: Composition, context: Context, target: int, pooled: Tensors) -> Tensors:
    """The masks of the weights after a cut that leaves `target`, by the scores of groups, `pooled`, that are known.

    The highest of what competes stay (the scope); with `keep_path` the cut leaves a way from input to output.
    """
    space, alive = context.space, context.space.alive(context.masks)

    def cut(kept: int) -> Tensors:
        return space.spread(_highest(parts, context, kept, pooled), context.masks)

    kept = parts.select.kept(context, pooled, alive, cut, space.fitting(target, alive, cut))
    masks = cut(kept)
    return with_path(context, masks, pooled) if parts.guards.keep_path else masks


def _pooled(parts: Composition, context: Context, scores: Tensors) -> Tensors:
    return context.space.pool(scores, scored(parts.scorer), context.masks)


def _highest(parts: Composition, context: Context, kept: int, pooled: Tensors) -> Tensors:
    """Which groups stay."""
    alive = context.space.alive(context.masks)
    pools = parts.scope.pools(context, alive, kept)
    return keep_highest(pooled, alive, pools, context.space.least(alive, pooled))


def amounts(space: Candidates, masks: Mapping[str, Tensor]) -> tuple[int, int]:
    """(all, left): what targets are counted in."""
    import torch

    whole = {name: torch.ones_like(mask) for name, mask in masks.items()}
    return space.left(whole), space.left(masks)


def reachable(
    space: Candidates, masks: Mapping[str, Tensor], asked: tuple[float, ...], measure: str
) -> tuple[float, ...]:
    """The shares to remove, ascending, once it is certain that cuts can reach each; BadInput otherwise."""
    total, alive = amounts(space, masks)
    check_shares(asked, measure)
    space.check(masks, space.target(total, max(asked)))
    return check_levels(asked, total, alive, measure, space.target)
