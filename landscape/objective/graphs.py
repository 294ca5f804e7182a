"""What a network makes of some examples, as a graph to be differentiated, and how much memory such graphs take."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from landscape.objective.derivatives.operations import named
from minima.store.memory import foreseen_within
from minima.zoo.examples.needs import saved_bytes


@dataclass(frozen=True)
class Chunk:
    """Some examples, and what the network makes of them, with its graph if there is one."""

    examples: slice
    parameters: list[Tensor]
    """what the graph is a function of"""
    outputs: Any
    losses: Tensor
    """(n,) in float64"""


Graph = TypeVar("Graph")
Build = Callable[[Chunk], Graph]

PIECE = 2**22
"""numbers that are converted at once"""
TRIAL = 32
"""examples that tell how much memory the graph of all would take"""
USUALLY = 3
"""times the least number of vectors are kept where there is room for them"""


class Keeper:
    """Graphs of the first chunks of some examples, kept between products: as many as `memory` bytes hold."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.whole = 4 * memory // 3
        """bytes of graphs, vectors and the work on them together"""
        self.count, self.vectors = 0, 0
        """vectors that are to be kept beside the graphs, and their bytes"""
        self.rows: int | None = None
        """vectors in float32 that a basis may have, where there is no room for one in float64: see `Room.reserve`"""
        self.build: Build[Any] | None = None
        """what they were built by"""
        self.kept: list[Any] = []
        self.parts: dict[int, Sequence[Any]] = {}
        """the same loss over blocks of the examples, by the seed of the blocks, where their graphs are kept as well"""
        self._examples = 0
        self._bytes: dict[Build[Any], float] = {}
        """of a graph, for each example"""

    @property
    def vector_bytes(self) -> int:
        """Bytes for vectors that are kept beside the graphs: a quarter of the whole, or what they take at least."""
        return max(self.whole // 4, self.vectors)

    def reserve(self, count: int, dimension: int) -> None:
        """Leave room for so many vectors in float64, at the expense of graphs."""
        if count * dimension * 8 > self.vectors:
            self.count, self.vectors = count, count * dimension * 8
            self.make_room(0)

    def make_room(self, work: int) -> None:
        """Let graphs take what vectors and so many bytes of work leave of the memory, at most three quarters of it.

        What is too little to be spoken of is not taken from them.
        """
        vectors = min(self.vector_bytes, USUALLY * self.vectors)
        self.memory = max(0, min(self.memory, int(foreseen_within(self.whole)) - vectors - work))

    def another(self) -> Keeper:
        """A keeper for other examples of the same network: it holds nothing yet, but knows how large graphs are."""
        fresh = Keeper(self.memory)
        fresh.whole, fresh.count, fresh.vectors, fresh.rows = self.whole, self.count, self.vectors, self.rows
        fresh._bytes = dict(self._bytes)
        return fresh

    def graphs(
        self, build: Build[Graph], chunks: Callable[[int, int | None], Iterator[Chunk]], count: int, size: int
    ) -> Iterator[Graph]:
        """`build` of all chunks. Those kept by another `build` are freed.

        `chunks`: the chunks of the examples from a first to a last; `count`: how many examples; `size`: in a chunk.
        """
        if self.build is not build:
            self._forget()
            fitting = int(self.memory // self._bytes_each(build, chunks))
            self._examples = count if fitting >= count else fitting // size * size
            self.kept = [build(chunk) for chunk in chunks(0, self._examples)]
            self.build = build
        return itertools.chain(self.kept, (build(chunk) for chunk in chunks(self._examples, None)))

    def holds(self, build: Build[Any], count: int, times: int) -> bool:
        """Whether graphs of so many examples, `times` over, are known to fit into its memory."""
        return build in self._bytes and times * count * self._bytes[build] <= self.memory

    def release(self) -> None:
        """Free the graphs that are kept, those of the blocks too."""
        self._forget()
        self.parts.clear()

    def _forget(self) -> None:
        self.build, self.kept, self._examples = None, [], 0

    def _bytes_each(self, build: Build[Any], chunks: Callable[[int, int | None], Iterator[Chunk]]) -> float:
        if build not in self._bytes:
            examples = 1  # and no bytes, where a rank has no examples

            def trial() -> Any:
                nonlocal examples
                chunk = next(chunks(0, TRIAL), None)
                if chunk is None:
                    return None
                examples = len(chunk.losses)
                return build(chunk)

            self._bytes[build] = max(1.0, saved_bytes(trial) / examples)
        return self._bytes[build]


def slopes(
    value: Tensor, parameters: Sequence[Tensor], *, create_graph: bool = False, retain_graph: bool = False
) -> tuple[Tensor, ...]:
    """The gradient of a sum with respect to each parameter: zeros where it does not depend on any.

    Operations that have no such derivative are refused by their names.

    >>> slopes(torch.tensor(1.0), [torch.ones(2, requires_grad=True)])
    (tensor([0., 0.]),)
    """
    if not value.requires_grad:
        return tuple(torch.zeros_like(parameter) for parameter in parameters)
    keep = create_graph or retain_graph
    with named(value):
        return torch.autograd.grad(
            value, parameters, retain_graph=keep, create_graph=create_graph, materialize_grads=True
        )


def add(sums: Tensor, tensors: Sequence[Tensor]) -> None:
    """Add tensors in the parameters' shapes to `sums` (D,) in float64, in place and without a copy of a large one.

    >>> sums = torch.zeros(3, dtype=torch.float64)
    >>> add(sums, [torch.ones(2, 1), torch.tensor(5.0)])
    >>> sums.tolist()
    [1.0, 1.0, 5.0]
    """
    for own, tensor in zip(sums.split([tensor.numel() for tensor in tensors]), tensors, strict=True):
        if tensor.numel() <= PIECE:
            own.view(tensor.shape).add_(tensor)
            continue
        rows = max(1, PIECE * len(tensor) // tensor.numel())
        for place, piece in zip(own.view(tensor.shape).split(rows), tensor.split(rows), strict=True):
            place.add_(piece)


def is_finite(numbers: Tensor) -> bool:
    """Whether every one of (..., D) is a finite number; most often their sum tells, else they are looked at in pieces.

    >>> [is_finite(torch.tensor(each)) for each in ([1.0, -2.0], [3e38, 3e38], [1.0, torch.inf])]
    [True, True, False]
    """
    return bool(numbers.sum().isfinite()) or all(
        bool(piece.isfinite().all()) for row in numbers.reshape(-1, numbers.shape[-1]) for piece in row.split(PIECE)
    )
