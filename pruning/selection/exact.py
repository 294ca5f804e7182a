"""Keep exactly what the target leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Exact:
    """Keeps exactly K = N - round(s N) of N weights at the sparsity s, whatever their scores."""

    validates: ClassVar[bool] = False

    def kept(
        self,
        context: Context,  # noqa: ARG002
        scores: dict[str, Tensor],  # noqa: ARG002
        alive: dict[str, Tensor],  # noqa: ARG002
        cut: Callable[[int], dict[str, Tensor]],  # noqa: ARG002
        target: int,
    ) -> int:
        return target
