"""One cut: from scores to masks, by space, scope and selection of a composition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pruning.context.counts import alive_count, size
from pruning.selection.ranking import keep_highest

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.composition.composition import Composition
    from pruning.context.context import Context


def choose(parts: Composition, context: Context, target: int) -> dict[str, Tensor]:
    """Masks of the weights after a cut that leaves `target` groups, or more where the selection wants more."""
    scores = parts.space.pool(parts.scorer.score(context))
    alive = parts.space.alive(dict(context.masks))

    def cut(kept: int) -> dict[str, Tensor]:
        return parts.space.spread(keep_highest(scores, alive, parts.scope.pools(context, alive, kept)))

    return cut(parts.select.kept(context, scores, alive, cut, target))


def groups(parts: Composition, masks: Mapping[str, Tensor]) -> tuple[int, int]:
    """(all, alive): what sparsity is counted over."""
    alive = parts.space.alive(dict(masks))
    return size(alive), alive_count(alive)
