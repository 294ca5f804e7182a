"""Every scheduled cut takes place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pruning.context import Context


@dataclass(frozen=True)
class Always:
    """No condition."""

    validates: ClassVar[bool] = False
    restores_best: ClassVar[bool] = False

    def fires(self, context: Context) -> bool:  # noqa: ARG002
        return True
