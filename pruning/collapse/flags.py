"""Flags of `python -m pruning.collapse`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring


@dataclass(frozen=True, kw_only=True)
class Collapse(Measuring):
    """The critical compression (Tanaka et al. 2020, SynFlow) of methods that make all their cuts before the first step:
    weights / those kept where a layer is empty and with one more none is, as `python -m pruning METHOD` would cut."""

    methods: tuple[str, ...] = ("magnitude", "random", "snip", "grasp", "synflow")
    """as in `python -m pruning METHOD`; one with flags in quotes: 'synflow --rounds 50'"""
    seed: int | None = None  # type: ignore[assignment]
    """of what a method draws at random (default: each checkpoint's own, as in `python -m pruning`)"""
    split: Literal["train", "test"] = "test"
    """of which examples loss and accuracy are; scores are of the training part always"""


def check(name: str, alive: dict[str, int]) -> None:
    """Refuse a network of fewer than two layers, and one that has an empty layer already."""
    if len(alive) < 2:
        raise BadInput(
            f"{name}: {len(alive)} convolution or linear layers, expected two or more: else none can collapse"
        )
    for layer, left in alive.items():
        if not left:
            raise BadInput(
                f"{name}: {layer} has no weight left as it is. Name the checkpoint that this one was made from"
            )
