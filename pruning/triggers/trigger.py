"""What a trigger is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


class Trigger(Protocol):
    """Whether an event of the schedule, such as a cut, takes place when its step has come."""

    validates: ClassVar[bool] = False
    """whether it needs a held-out validation part"""
    restores_best: ClassVar[bool] = False
    """whether the cut starts from the best weights since the last cut"""
    waits: ClassVar[bool] = False
    """whether it decides alone when the cuts are made: each as soon as it fires, at an epoch's end, and the end of the
    run likewise; else a cut at which it does not fire is passed over"""

    def note(self, context: Context, cut: Callable[[], dict[str, Tensor]]) -> Sequence[float]:  # noqa: ARG002
        """Numbers to look back on later; called at the start of the run and at each epoch's end.

        Args:
            context: the run at this moment.
            cut: gives what the last cut of the schedule would keep if it were made now: bool by name of a tensor of
                weights, or of a group of units.

        Returns:
            the numbers, which later calls find as the last of `context.seen`.
        """
        return ()

    def fires(self, context: Context) -> bool:
        """Whether the event takes place now: a pure function of what the context holds."""
