"""One cut: from scores to masks, by space, scope and selection of a composition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.composition.keeping_path import with_path
from pruning.context.counts import alive_count, size
from pruning.scorers.agreement import Agreement, Estimate, Estimated, agreement
from pruning.selection.ranking import keep_highest

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.composition.composition import Composition
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
    """Masks of the weights after a cut that leaves `target` groups, or more where the selection wants more."""
    return cut_by(parts, context, target, parts.scorer.score(context))


def decide(parts: Composition, context: Context, target: int) -> Choice:
    """Masks of the weights after a cut, with a look at how sure the choice is."""
    scorer = parts.scorer
    estimate = scorer.estimate(context) if isinstance(scorer, Estimated) else Estimate(scorer.score(context))
    masks = cut_by(parts, context, target, estimate.scores)
    if estimate.pair is None:
        return Choice(masks, estimate, None)
    kept = alive_count(parts.space.alive(masks))
    found = agreement(estimate.pair, context.masks, lambda scores: _highest(parts, context, kept, scores))
    return Choice(masks, estimate, found)


def cut_by(parts: Composition, context: Context, target: int, scores: Tensors) -> Tensors:
    """Masks after a cut by scores that are known."""
    pooled, alive = parts.space.pool(scores), parts.space.alive(dict(context.masks))
    kept = parts.select.kept(context, pooled, alive, lambda kept: _highest(parts, context, kept, scores), target)
    masks = _highest(parts, context, kept, scores)
    return with_path(context, masks, scores) if parts.guards.keep_path else masks


def _highest(parts: Composition, context: Context, kept: int, scores: Tensors) -> Tensors:
    alive = parts.space.alive(dict(context.masks))
    pools = parts.scope.pools(context, alive, kept)
    return parts.space.spread(keep_highest(parts.space.pool(scores), alive, pools))


def groups(parts: Composition, masks: Mapping[str, Tensor]) -> tuple[int, int]:
    """(all, alive): what sparsity is counted over."""
    alive = parts.space.alive(dict(masks))
    return size(alive), alive_count(alive)
