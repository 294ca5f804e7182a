"""What was written in place while paths are followed: a tensor of marks has from then on the marks of what was written.

Marks themselves are never overwritten, so that paths can be followed back through what they were before.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from minima.store.command import BadInput
from minima.zoo.anatomy.operations import CONVERSIONS, DROPOUTS, MOVES
from minima.zoo.anatomy.paths.marks import is_mark

SHARING = (MOVES - {"clone"}) | CONVERSIONS | DROPOUTS
"""operations whose result may lie in the memory of their first operand"""


class Written:
    """The tensors of a pass that were written to, with what they are now."""

    def __init__(self) -> None:
        self._now: dict[int, tuple[Tensor, Tensor]] = {}
        """by the id of a tensor: itself, and its marks after the last writing"""
        self._memories: dict[int, tuple[Tensor, object]] = {}
        """by the id of marks: themselves, and what stands for the memory that they lie in"""
        self._lost: dict[object, list[tuple[Tensor, str]]] = defaultdict(list)
        """by memory: what was written by way of one of its tensors, and by which operation; the others are outdated"""

    def now(self, values: Any) -> Any:
        """Values, nested or not, with the marks that written tensors have now.

        Raises:
            BadInput: what they lie in was written by way of another tensor.
        """
        return tree_map(self._one, values)

    def share(self, result: Any, operand: Any) -> None:
        """Take down that the marks in a result may lie in the memory of an operand."""
        if is_mark(operand):
            memory = self._memories.setdefault(id(operand), (operand, object()))[1]
            for value in filter(is_mark, tree_leaves(result)):
                self._memories[id(value)] = value, memory

    def write(self, target: Tensor, before: Tensor, result: Tensor, operation: str) -> None:
        """Take down that a tensor, which was `before` up to now, was written to and has the marks of a result."""
        for tensor in (target, before):
            self._now[id(tensor)] = tensor, result
        memory = self._memory(before)
        if memory:
            self._lost[memory].append((result, operation))

    def put_back(self, target: Tensor, part: Any) -> None:
        """Take down that a part of a tensor, written to by itself, is put back into it, as `h[0] += z` does."""
        memory = self._memory(self._last(target))
        if memory in self._lost:
            last = self._last(part) if torch.is_tensor(part) else part
            self._lost[memory] = [each for each in self._lost[memory] if each[0] is not last]

    def _last(self, value: Tensor) -> Tensor:
        while id(value) in self._now:
            value = self._now[id(value)][1]
        return value

    def _memory(self, value: Tensor) -> object:
        if is_mark(value):
            return self._memories.get(id(value), (value, None))[1]
        return value.untyped_storage().data_ptr() if value.layout == torch.strided else None

    def _one(self, value: Any) -> Any:
        if not torch.is_tensor(value):
            return value
        value = self._last(value)
        lost = self._lost.get(self._memory(value)) if self._lost else None
        if lost:
            raise BadInput(
                f"the network writes in place ({lost[0][1]}) to memory that it reads as another tensor afterwards, and "
                "through that paths cannot be followed: which weights are reachable is unknown. In its code, make a "
                "new tensor instead, such as h = h + z"
            )
        return value
