"""What a method is that takes layers out: which rectifiers it puts out next, and what it does to weights before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from minima.store.registry import members


@dataclass(frozen=True)
class LayerMethod:
    """A member of pruning/layer_methods: its fields are its hyper-parameters, its flags, and what a checkpoint stores.

    A round: weights are cut, if `fraction` is not 0; rectifiers are put out, before training if the method names them;
    the network is trained; after training, rectifiers that do nothing on the training examples go, if `idle`.
    """

    name: ClassVar[str]
    phase: ClassVar[str] = "after training"
    summary: ClassVar[str]
    """one line"""
    paper: ClassVar[str]
    estimator: ClassVar[str]
    """of a layer's entropy: a member of entropy/layers/estimators"""
    idle: ClassVar[bool] = False
    """whether rectifiers that do nothing are put out after each round"""
    parts: ClassVar[tuple[str, ...]]
    """what it is made of, in words"""

    @property
    def removed(self) -> float:
        """The fraction of the weights left that a round removes."""
        return 0.0

    def next(self, entropies: Mapping[str, float]) -> list[str]:
        """The rectifiers that a round begins by putting out, given the entropies in bits of those that can be."""
        raise NotImplementedError


def layer_methods() -> dict[str, type[LayerMethod]]:
    """Every member of pruning/layer_methods by name."""
    return members("pruning.layer_methods", LayerMethod)
