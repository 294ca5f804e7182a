"""What a scorer is: the importance of each weight, or of each group of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from pruning.context.candidates import Scored

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Scorer(Protocol):
    """Importance of each weight, high = keep; leaves model, gradients, buffers and random state as they were.

    One that scores units says so: `of: ClassVar[Scored] = "units"`.
    """

    def score(self, context: Context) -> Tensors: ...


class UnitScorer(Protocol):
    """Importance of each unit of `context.space`, high = keep: (size,) by the name of a group."""

    of: ClassVar[Scored]

    def score(self, context: Context) -> Tensors: ...


def scored(scorer: Scorer | UnitScorer) -> Scored:
    """What a scorer gives scores of: weights where it does not say.

    >>> from pruning.scorers.magnitude import Magnitude
    >>> scored(Magnitude())
    'weights'
    """
    return getattr(scorer, "of", "weights")
