"""Targets that are numbers: a number for each output, and nothing broadcast but (N, 1) and (N,)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.losses.classification import rows_of

if TYPE_CHECKING:
    from torch import Tensor

PIECE = 2**22
"""numbers that are looked at at once"""


def check_numbers(outputs: Tensor, targets: Any, name: str) -> None:
    """Refuse targets (N, ...) that are not shaped like outputs (n, ...), or not finite."""
    found, expected = tuple(targets.shape[1:]), tuple(outputs.shape[1:])
    if found != expected and {found, expected} != {(), (1,)}:
        classes = len(found) < len(expected) and not targets.is_floating_point()
        raise BadInput(
            f"--loss {name}: the targets have the shape {rows_of(found)} and the outputs {rows_of(expected)}: "
            "expected the same, nothing is broadcast"
            + classes
            * ".\nOf class indices: --loss one-hot-mse, or cross-entropy"
        )
    broken = [first + int(row) for first, piece in pieces(targets) for row in _broken(piece)]
    if broken:
        raise BadInput(
            f"the target of example {broken[0]} is NaN or infinite, and so are {len(broken) - 1:,} more of "
            f"{len(targets):,}: leave these examples out of the data, or take a loss of your own that does"
        )


def pieces(targets: Any) -> Iterator[tuple[int, Tensor]]:
    """Targets (N, ...) in consecutive pieces, each with the place of its first example: they may not be in memory."""
    size = max(1, PIECE // max(1, targets[:1].numel()))
    yield from ((first, targets[first : first + size]) for first in range(0, len(targets), size))


def spread(targets: Any) -> float:
    """The sum over examples i and outputs k of (y_ik - mean_i y_ik)^2, in float64: what R^2 is measured against."""
    rows = [piece.double().reshape(len(piece), -1).sum(0) for _, piece in pieces(targets)]
    mean = sum(rows[1:], rows[0]) / len(targets)
    return sum((piece.double().reshape(len(piece), -1) - mean).square().sum().item() for _, piece in pieces(targets))


def themselves(inputs: Mapping[str, Tensor]) -> tuple[Tensor, str] | None:
    """The only floating tensor among the inputs as targets; None where there is no such one.

    >>> themselves({}) is None
    True
    """
    floating = [tensor for tensor in inputs.values() if tensor.is_floating_point()]
    return (floating[0], "the data have no targets: they are the inputs themselves") if len(floating) == 1 else None


def _broken(piece: Tensor) -> Tensor:
    """Which examples of a piece are not finite."""
    return (~piece.double().isfinite()).reshape(len(piece), -1).any(1).nonzero()[:, 0]


def shaped_like(targets: Tensor, outputs: Tensor) -> Tensor:
    """The targets in the outputs' shape and data type."""
    return targets.to(outputs.dtype).reshape(outputs.shape)
