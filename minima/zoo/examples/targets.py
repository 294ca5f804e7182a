"""Targets of data that have none: an autoencoder's are its inputs, a language model's the tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.zoo.examples.inputs import Inputs, Several, ranges
from minima.zoo.examples.lazy import Lazy
from minima.zoo.losses.loss import Loss

if TYPE_CHECKING:
    from torch import Tensor


def own_targets(loss: Loss, x: Inputs) -> tuple[Any, str] | None:
    """Targets made of inputs x (N, ...) for this loss, and what is said of them; None where it has no such targets.

    Numbers that are not in memory stay out of it; tokens are read.
    """
    import torch

    if not isinstance(x, Lazy):
        return loss.targets_of(_named(x))
    found = loss.targets_of(_named(x.first))
    if found is None:
        return None
    like, said = found

    def made(chunk: Inputs) -> Tensor:
        targets = loss.targets_of(_named(chunk))
        assert targets is not None
        return targets[0]

    lazy = x.then(made)
    return (lazy if like.is_floating_point() else torch.cat([lazy[rows] for rows in ranges(x)])), said


def _named(x: Inputs) -> dict[str, Tensor]:
    return dict(x.items()) if isinstance(x, Several) else {"": x}
