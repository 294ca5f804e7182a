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

    def score(self, context: Context) -> Tensors:
        """How important each weight is.

        Args:
            context: the run at this moment; what is drawn is a pure function of its `seed` and of how far it is.

        Returns:
            a tensor of the shape of each of `context.weights`, by its name; scores of removed weights do not count.
        """


class UnitScorer(Protocol):
    """Importance of each unit of `context.space`, high = keep: (size,) by the name of a group."""

    of: ClassVar[Scored]
    """"units", or "both" if single weights are scored as well"""

    def score(self, context: Context) -> Tensors:
        """How important each unit is.

        Args:
            context: the run at this moment; its `space.groups` are the units that compete.

        Returns:
            (size,) scores by the name of a group; all units of a group that is left out stay.
        """


def scored(scorer: Scorer | UnitScorer) -> Scored:
    """What a scorer gives scores of: weights where it does not say.

    >>> from pruning.scorers.magnitude import Magnitude
    >>> scored(Magnitude())
    'weights'
    """
    return getattr(scorer, "of", "weights")
