"""Inputs that do not lie in memory: a chunk of them is read, and made what the network takes, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Lazy:
    """Examples (N, ...) elsewhere: `x[rows]`, a slice or indices, is a tensor, or `Several`, in memory.

    Each chunk goes to the device as it lies, integers of 8 bits as such, and is scaled and normalised there. A large
    part, such as half of the examples, is asked for by `some`, which reads nothing.

    >>> import torch
    >>> x = Lazy(lambda rows: rows[:, None] * 2, torch.arange(1000)).map(lambda tensor: tensor.float() / 4)
    >>> len(x), x.shape, x[2:4], x.some(torch.tensor([7, 9]))[1:]
    (1000, (1000, 1), tensor([[1.0000], [1.5000]]), tensor([[4.5000]]))
    """

    read: Callable[[Tensor], Any]
    """(n,) indices -> the tensor, or `Several`, of these examples, on the CPU"""
    rows: Tensor
    """(N,) int64 which of them these are"""
    where: torch.device | None = None
    """the device that chunks are moved to; None: the CPU"""
    steps: tuple[Callable[[Any], Any], ...] = ()
    """what becomes of a chunk there, one after the other"""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, examples: Any) -> Any:
        import torch

        rows = self.rows[examples.to(self.rows.device) if torch.is_tensor(examples) else examples]
        found = self.read(rows)
        if self.where is not None:
            found = found.to(self.where)
        for step in self.steps:
            found = step(found)
        return found

    def some(self, examples: Any) -> Lazy:
        """The same data, of some of the examples only: a slice or indices."""
        import torch

        here = examples.to(self.rows.device) if torch.is_tensor(examples) else examples
        return replace(self, rows=self.rows[here])

    def then(self, step: Callable[[Any], Any]) -> Lazy:
        """The same data with a further step for every chunk."""
        return replace(self, steps=(*self.steps, step))

    def map(self, function: Callable[[Tensor], Tensor]) -> Lazy:
        """The same data, of what the function makes of each tensor of a chunk."""
        import torch

        return self.then(lambda chunk: function(chunk) if torch.is_tensor(chunk) else chunk.map(function))

    def to(self, *where: Any) -> Lazy:
        """The same data on another device; a data type concerns floating tensors only."""
        import torch

        devices = [each for each in where if not isinstance(each, torch.dtype)]
        there = replace(self, where=torch.device(devices[0])) if devices else self
        dtypes = [each for each in where if isinstance(each, torch.dtype)]
        return there.map(partial(_floats_to, dtype=dtypes[-1])) if dtypes else there

    def split(self, size: int) -> Iterator[Any]:
        """Consecutive chunks, one read after the other."""
        yield from (self[first : first + size] for first in range(0, len(self), size))

    @cached_property
    def first(self) -> Any:
        """The first example (1, ...): what one of them looks like."""
        return self[:1]

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape over all examples, (N, ...), or that of each tensor with its name."""
        import torch

        if torch.is_tensor(self.first):
            return (len(self), *self.first.shape[1:])
        return tuple((name, (len(self), *shape[1:])) for name, shape in self.first.shape)

    @property
    def ndim(self) -> int:
        """Axes; 0 where there are several tensors."""
        return int(self.first.ndim)

    @property
    def device(self) -> torch.device:
        """The device that every chunk comes on."""
        device: torch.device = self.first.device
        return device

    @property
    def is_cuda(self) -> bool:
        """Whether chunks lie on a GPU."""
        return bool(self.first.is_cuda)

    def is_floating_point(self) -> bool:
        """Whether any of a chunk's tensors is of a floating type."""
        return bool(self.first.is_floating_point())

    def numel(self) -> int:
        """The number of numbers in all examples together."""
        return len(self) * int(self.first.numel())

    def same_as(self, other: Lazy) -> bool:
        """Whether both are surely the same examples, made in the same way; nothing is read."""
        import torch

        return self.read is other.read and len(self) == len(other) and torch.equal(self.rows, other.rows)


def _floats_to(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
