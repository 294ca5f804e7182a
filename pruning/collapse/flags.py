"""Flags of `python -m pruning.collapse`, and what can be refused before any work."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

import tyro

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring
from pruning.composition.composition import Composition
from pruning.composition.method import Method, methods
from pruning.schedules.event import Span
from pruning.selection.exact import Exact
from pruning.spaces.elements import Elements
from pruning.triggers.always import Always


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


def named(words: str) -> Method:
    """The method that is typed as in `python -m pruning METHOD`, if it makes all its cuts before training.

    Raises:
        BadInput: there is no such method, or it trains before or between its cuts.
    """
    known = methods()
    name, *flags = shlex.split(words) or [""]
    method = tyro.cli(known[name], args=flags, prog=f"--methods {name}") if name in known else None
    if method is None or not cuts_at_once(method.composition()):
        said = "there is no such method" if method is None else "it trains before or between its cuts"
        fit = ", ".join(name for name, other in known.items() if cuts_at_once(other().composition()))
        raise BadInput(
            f"--methods {words!r}: {said}.\nExpected those that make all their cuts before they train: {fit}"
        )
    return method


def cuts_at_once(parts: Composition) -> bool:
    """Whether all cuts come before the first step of training, and only the sparsity asked for says how far they go.

    >>> from pruning.methods.gmp import GMP
    >>> from pruning.methods.synflow import SynFlow
    >>> cuts_at_once(SynFlow().composition()), cuts_at_once(GMP().composition())
    (True, False)
    """
    whole = (parts.space, parts.select, parts.trigger, parts.regrow, parts.straight_through)
    if parts.schedule.gradual or whole != (Elements(), Exact(), Always(), None, None):
        return False
    long = Span(initial=0.0, asked=(0.9,), epochs=1000, steps_per_epoch=1)
    return all(event.step == 0 for event in parts.schedule.events(long))


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
