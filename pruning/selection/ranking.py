"""The cut itself: the highest scores of each pool, exactly as many as asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor


def keep_highest(
    scores: Mapping[str, Tensor],
    alive: Mapping[str, Tensor],
    pools: Sequence[tuple[tuple[str, ...], int]],
    least: Mapping[str, int] | None = None,
) -> dict[str, Tensor]:
    """Masks (True = kept) that keep the `kept` highest scores among the living of each pool (names, kept).

    The count is exact: of equal scores the one that comes first stays. What is removed stays removed. Of each tensor
    the `least` highest stay in any case, and where a pool keeps fewer it keeps these.

    >>> import torch
    >>> keep_highest({"w": torch.tensor([1.0, 2, 1, 3])}, {"w": torch.ones(4, dtype=bool)}, [(("w",), 3)])["w"].tolist()
    [True, True, False, True]
    """
    import torch

    _check_finite(scores)
    masks: dict[str, Tensor] = {}
    for names, kept in pools:
        # (sum of the numels,): every score of the pool, in order of tensors and positions
        parts = [scores[name].masked_fill(~alive[name], float("-inf")).flatten() for name in names]
        held = [
            _held(part, min((least or {}).get(name, 0), int((part > float("-inf")).sum())))
            for name, part in zip(names, parts, strict=True)
        ]
        chosen = _highest(torch.cat(held), max(kept, sum(int(part.isposinf().sum()) for part in held)))
        for name, part in zip(names, chosen.split([scores[name].numel() for name in names]), strict=True):
            masks[name] = part.view(scores[name].shape)
    return {name: masks[name] for name in scores}


def _held(part: Tensor, least: int) -> Tensor:
    """The scores of a tensor, the `least` highest of them infinite."""
    return part.index_fill(0, part.argsort(descending=True, stable=True)[:least], float("inf")) if least else part


def _highest(flat: Tensor, kept: int) -> Tensor:
    """The same choice as a stable descending sort, without sorting: what beats the K-th highest, then first come."""
    import torch

    if kept < 1:
        return torch.zeros_like(flat, dtype=torch.bool)
    bar = flat.kthvalue(len(flat) - kept + 1).values
    if bar == float("-inf"):
        raise ValueError(f"{kept} weights are to be kept, but only {int((flat > bar).sum())} are left")
    chosen = flat > bar
    ties = (flat == bar).nonzero().flatten()
    chosen[ties[: kept - int(chosen.sum())]] = True
    return chosen


def _check_finite(scores: Mapping[str, Tensor]) -> None:
    for name, score in scores.items():
        wrong = int((~score.isfinite()).sum())
        if wrong:
            raise BadInput(
                f"{wrong} of {score.numel()} scores of {name} are not finite: weights cannot be ranked by them.\n"
                "The loss or a derivative of it overflows at the weights of this cut, or the data hold NaN. Look at "
                "the checkpoint's loss, or choose a method that needs neither, such as magnitude"
            )
