"""The base of the registry of pruning methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from minima.store.registry import members

if TYPE_CHECKING:
    from pruning.composition.composition import Composition


@dataclass(frozen=True)
class Method:
    """A member of pruning/methods: its fields are its hyper-parameters, its flags, and what a checkpoint stores."""

    name: ClassVar[str]
    phase: ClassVar[Literal["before training", "during training", "after training"]]
    summary: ClassVar[str]
    """one line"""
    paper: ClassVar[str]
    remedy: ClassVar[str] = "--epochs"
    """flags to change where a run ends before the sparsity it was asked for"""

    def composition(self) -> Composition:
        """The parts that the method is made of, with these hyper-parameters."""
        raise NotImplementedError


def methods() -> dict[str, type[Method]]:
    """Every member of pruning/methods by name."""
    return members("pruning.methods", Method)
