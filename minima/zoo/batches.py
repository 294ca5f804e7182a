"""How many examples to push through a network at once when the result does not depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Past this many input numbers the activations of a convolutional network no longer fit the cache, and glibc's
# allocator returns them to the kernel after each layer: both cost more than the fewer calls save.
INPUT_NUMBERS = 200_000
SMALLEST, LARGEST = 64, 1024


def default_batch_size(x: Tensor) -> int:
    """Examples per chunk for inputs shaped like `x` (N, ...): 1024 digits, 255 MNIST images, 65 CIFAR images."""
    return max(SMALLEST, min(LARGEST, INPUT_NUMBERS // max(1, x[:1].numel())))


def batches(x: Tensor, y: Tensor, batch_size: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Consecutive chunks of (x, y) in file order; the last may be smaller."""
    size = batch_size or default_batch_size(x)
    yield from zip(x.split(size), y.split(size), strict=True)
