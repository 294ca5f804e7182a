"""Targets that are numbers: a number for each output, and nothing broadcast but (N, 1) and (N,)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.store.command import BadInput
from minima.zoo.losses.classification import rows_of

if TYPE_CHECKING:
    from torch import Tensor


def check_numbers(outputs: Tensor, targets: Tensor, name: str) -> None:
    """Refuse targets (N, ...) that are not shaped like outputs (n, ...), or not finite."""
    found, expected = tuple(targets.shape[1:]), tuple(outputs.shape[1:])
    if found != expected and {found, expected} != {(), (1,)}:
        raise BadInput(
            f"--loss {name}: the targets have the shape {rows_of(found)} and the outputs {rows_of(expected)}: "
            "expected the same, nothing is broadcast"
        )
    broken = (~targets.double().isfinite()).reshape(len(targets), -1).any(1).nonzero()
    if len(broken):
        raise BadInput(
            f"the target of example {int(broken[0])} is NaN or infinite, and so are {len(broken) - 1:,} more of "
            f"{len(targets):,}: leave these examples out of the data, or take a loss of your own that does"
        )


def shaped_like(targets: Tensor, outputs: Tensor) -> Tensor:
    """The targets in the outputs' shape and data type."""
    return targets.to(outputs.dtype).reshape(outputs.shape)
