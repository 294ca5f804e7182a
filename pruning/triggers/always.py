"""Every scheduled cut takes place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from pruning.context.context import Context


@dataclass(frozen=True)
class Always(Trigger):
    """A trigger without a condition: every scheduled cut is made."""

    def fires(self, context: Context) -> bool:  # noqa: ARG002
        return True
