"""What spans a surface: a frozen dataclass of parameters that turns the network in the centre into a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.registry import members

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.surface.landmark import Landmark
    from landscape.surface.plane import Plane
    from minima.zoo.subject.subject import Subject


@dataclass(frozen=True)
class Centre:
    """The network that a plane goes through, and what is known around it."""

    subject: Subject
    objective: Objective
    slope: tuple[Tensor, Tensor]
    """g and H g, (d,)"""
    through: Sequence[Landmark]
    """other checkpoints"""
    moments: Sequence[Landmark]
    """of a training"""
    axes: int
    """1 or 2"""
    seed: int


@dataclass(frozen=True)
class Spanning:
    """Base of the members of landscape/surface/planes. Its fields are flags of `landscape.surface`."""

    name: ClassVar[str]
    needs: ClassVar[str | None] = None
    """a flag without which there is no such plane"""

    def plane(self, centre: Centre) -> Plane:
        """The line or plane through the network in the centre."""
        raise NotImplementedError


def spannings() -> dict[str, type[Spanning]]:
    """Every kind of plane by name."""
    return members("landscape.surface.planes", Spanning)


def spanning(arguments: Any) -> Spanning:
    """The kind that `--directions` names, with its flags."""
    kind = spannings()[arguments.directions]
    return kind(**{name: getattr(arguments, name) for name in kind.__dataclass_fields__ if hasattr(arguments, name)})
