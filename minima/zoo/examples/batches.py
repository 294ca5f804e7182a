"""How many examples to push through a network at once when the result does not depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minima.zoo.examples.inputs import Inputs

# Past this many input numbers the activations of a convolutional network no longer fit the cache, and glibc's
# allocator returns them to the kernel after each layer: both cost more than the fewer calls save.
INPUT_NUMBERS = 200_000
SMALLEST, LARGEST = 64, 1024


def default_batch_size(x: Inputs) -> int:
    """Examples per chunk for inputs shaped like `x` (N, ...): 1024 digits, 255 MNIST images, 65 CIFAR images."""
    return max(SMALLEST, min(LARGEST, INPUT_NUMBERS // max(1, x[:1].numel())))


def batches(x: Inputs, y: Any, batch_size: int | None = None) -> Iterator[tuple[Inputs, Any]]:
    """Consecutive chunks of (x, y) in file order; the last may be smaller."""
    size = batch_size or default_batch_size(x)
    for first in range(0, len(x), size):
        yield x[first : first + size], y[first : first + size]
