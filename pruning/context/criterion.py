"""The base of the registry of criteria: how much each removable unit is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.candidates import Scored
    from pruning.context.context import Context


@dataclass(frozen=True)
class Criterion:
    """A member of pruning/unit_criteria: the units of the lowest scores go first."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """the formula, in a few words of a help text"""
    of: ClassVar[Scored] = "units"
    relative: ClassVar[bool] = False
    """whether a unit's score depends on the weights of the others of its group"""

    def score(self, context: Context) -> dict[str, Tensor]:
        """(size,) in float64 by the name of a group of `context.space`, high = stays; a group that is left out keeps
        all its units. Model, gradients, buffers and random state stay as they were."""
        raise NotImplementedError


def criteria() -> dict[str, type[Criterion]]:
    """Every member of pruning/unit_criteria by name."""
    return members("pruning.unit_criteria", Criterion)


def criterion_named(name: str, **fields: Any) -> Criterion:
    """The criterion a `--criterion` flag names.

    >>> criterion_named("l1")
    L1()
    """
    known = criteria()
    if name not in known:
        raise BadInput(f"--criterion {name}: expected one of {', '.join(known)}")
    return known[name](**fields)


def criteria_help() -> str:
    """What the criteria are, for a help text."""
    return "; ".join(f"{name}: {criterion.summary}" for name, criterion in criteria().items())
