"""What a trigger is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


class Trigger(Protocol):
    """Whether an event of the schedule takes place."""

    validates: ClassVar[bool] = False
    """whether it needs a held-out validation part"""
    restores_best: ClassVar[bool] = False
    """whether the cut starts from the best weights since the last cut"""
    waits: ClassVar[bool] = False
    """whether it decides alone when the cuts are made: each as soon as it fires, at an epoch's end, and the end of the
    run likewise; else a cut at which it does not fire is passed over"""

    def note(self, context: Context, cut: Callable[[], dict[str, Tensor]]) -> Sequence[float]:  # noqa: ARG002
        """What to look back on later, at the start of the run and at each epoch's end.

        `cut()` gives the masks that the last cut of the schedule would lead to if it were made now.
        """
        return ()

    def fires(self, context: Context) -> bool:
        """A pure function of what the context holds."""
