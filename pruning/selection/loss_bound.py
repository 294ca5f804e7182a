"""Threshold search under a bound on the validation loss (Tartaglione et al. 2022, LOBSTER)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from pruning.context.context import raised

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

PRECISION = 0.05
"""of the bound: losses closer than that are not told apart"""


@dataclass(frozen=True)
class LossBound:
    """Remove scores below the highest threshold found that keeps the validation loss under (1 + tolerance) x itself.

    The target caps it: a threshold that would remove more removes exactly as many as the target allows.
    """

    tolerance: float
    validates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < float("inf"):
            raise BadInput(f"--tolerance {self.tolerance}: expected a relative rise of the loss, 0 or more")

    def kept(
        self,
        context: Context,
        scores: dict[str, Tensor],
        alive: dict[str, Tensor],
        cut: Callable[[int], dict[str, Tensor]],
        target: int,
    ) -> int:
        import torch

        parts = [scores[name][mask] for name, mask in alive.items()]
        living, nonzero = torch.cat(parts), [part[part > 0] for part in parts if (part > 0).any()]
        if not nonzero:
            return target

        def kept_at(threshold: float) -> int:
            return max(target, int((living >= threshold).sum()))

        threshold = search_threshold(
            lambda threshold: context.validation_loss(cut(kept_at(threshold))),
            lowest=min(float(part.min()) for part in nonzero),
            start=sum(float(part.mean()) for part in nonzero) / len(nonzero),
            highest=float(living.max()),
            bound=raised(context.validation_loss(context.masks), self.tolerance),
        )
        return kept_at(threshold)


def search_threshold(
    loss: Callable[[float], float],
    *,
    lowest: float,
    start: float,
    highest: float,
    bound: float,
) -> float:
    """A threshold T in [lowest, highest] with loss(T) < bound, by bisection from `start`.

    `loss(T)` is the loss with every score < T removed, so `lowest` removes nothing. The bracket [safe, unsafe] shrinks
    until the losses at its ends differ by less than 5 % of the bound; the safe end is returned. (The LOBSTER repository
    returns the middle, which may break the bound.) While the safe end still removes nothing, the bisection goes on
    until the bracket is 1e-10 wide: a close bracket is no reason to give up.

    >>> removed = lambda threshold: sum(weight < threshold for weight in (0.1, 0.2, 0.3, 0.4))
    >>> search_threshold(lambda t: 1 + 0.03 * removed(t), lowest=0.1, start=0.25, highest=0.4, bound=1.05)
    0.175
    """
    loss_start = loss(start)
    if loss_start < bound:
        (safe, loss_safe), (unsafe, loss_unsafe) = (start, loss_start), (highest, loss(highest))
    else:
        (safe, loss_safe), (unsafe, loss_unsafe) = (lowest, loss(lowest)), (start, loss_start)
    if loss_unsafe < bound:
        return unsafe
    while unsafe - safe > 1e-10:
        if abs(loss_unsafe - loss_safe) < PRECISION * abs(bound) and safe > lowest:
            break
        middle = (safe + unsafe) / 2
        loss_middle = loss(middle)
        if loss_middle < bound:
            safe, loss_safe = middle, loss_middle
        else:
            unsafe, loss_unsafe = middle, loss_middle
    return safe
