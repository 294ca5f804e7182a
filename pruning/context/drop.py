"""The base of the registry of drop rules: which of the kept weights of a tensor make room for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Flow:
    """Which product of the Hessian with a gradient g of the whole network."""

    dense: bool
    """g is that of removed weights too, else of the kept ones alone"""
    temperature: float = 1.0
    """divides the logits"""


@dataclass(frozen=True)
class Layer:
    """One tensor at an exchange of weights."""

    weight: Tensor
    gradient: Callable[[], Tensor]
    """dense gradient of the mean loss of one batch: of removed weights too"""
    product: Callable[[Flow], Tensor]
    """H g of that batch"""
    kept: Tensor
    draw: Callable[[str], Tensor]
    """uniform numbers in [0, 1) for a purpose, of the tensor's shape"""


@dataclass(frozen=True)
class Drop:
    """A member of pruning/drops. The lowest scores go; scores of removed weights are of no account.

    A comparison of such rules: Nowak et al. 2023 ("Fantastic Weights and How to Find Them").
    """

    name: ClassVar[str]
    memory: ClassVar[float] = 0.0
    """share of the average over earlier exchanges in the score that is compared"""

    def score(self, layer: Layer) -> Tensor:
        """Scores of the tensor's shape; of the kept weights those with the highest stay."""
        raise NotImplementedError


def drops() -> dict[str, type[Drop]]:
    """Every member of pruning/drops by name."""
    return members("pruning.drops", Drop)


def drop_named(name: str) -> Drop:
    """The rule a `--drop` flag names.

    >>> drop_named("mest")
    Mest(gamma=1.0)
    """
    known = drops()
    if name not in known:
        raise BadInput(f"--drop {name}: expected one of {', '.join(known)}")
    return known[name]()
