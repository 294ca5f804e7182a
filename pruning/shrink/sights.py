"""Inputs of other sizes that a network takes: as many more examples, and longer or larger ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called, leaves, mapped
from pruning.shrink.whole import Whole

Axes = tuple[int, ...]
CHANGES: tuple[Callable[[int, int], int], ...] = (
    lambda n, least: max(2 * n + 1, least),
    lambda n, _: 2 * n + 1,
    lambda n, _: 2 * n,
    lambda n, _: n + 1,
    lambda n, _: n - 1,
    lambda n, _: n // 2,
)
"""in turn: the size of an axis instead of n"""


@dataclass(frozen=True)
class Sight:
    """Inputs that a network runs on."""

    x: Inputs
    said: str
    """in words"""


def batch_of(x: Inputs, count: int) -> Inputs:
    """So many examples, made of the first ones over and over."""
    return x[torch.arange(count) % len(x)]


def other_sizes(model: nn.Module, x: Inputs, least: int = 0) -> list[Sight]:
    """Inputs like x (n, ...) whose images are larger or sequences longer (else smaller, shorter), that `model` takes.

    Along each axis but the first, and along all axes of an image together, that are 2n + 1 entries instead of n, but
    `least` at least; else 2n, n + 1, n - 1 or n // 2. A network that takes one size only has none.
    """
    found = []
    for axes in _axes(x):
        for changed in _resized(x, axes, least):
            if runs(model, changed):
                shapes = " and ".join(str(tuple(leaf.shape[1:])) for leaf in leaves(changed))
                found.append(Sight(changed, f"inputs of another size, {shapes}"))
                break
    return found


def _axes(x: Inputs) -> list[Axes]:
    most = max(leaf.ndim for leaf in leaves(x))
    single: list[Axes] = [(axis,) for axis in range(1, most)]
    image: Axes = tuple(range(2, most))
    return [image, (1,)] if most == 4 else [image, *single] if most > 4 else single


def _resized(x: Inputs, axes: Axes, least: int) -> Iterator[Inputs]:
    first = next(leaf for leaf in leaves(x) if leaf.ndim > max(axes))
    sizes = [first.shape[axis] for axis in axes]
    tried = [sizes]
    for change in CHANGES:
        new = [change(size, least) for size in sizes]
        if min(new) > 0 and new not in tried:
            tried.append(new)
            yield mapped(x, partial(_as_long, axes=axes, sizes=sizes, new=new))


def _as_long(tensor: Tensor, axes: Axes, sizes: list[int], new: list[int]) -> Tensor:
    """Entries over and over along these axes, of a tensor whose sizes there are these."""
    for axis, size, wanted in zip(axes, sizes, new, strict=True):
        if tensor.ndim > axis and tensor.shape[axis] == size:
            tensor = tensor.index_select(axis, torch.arange(wanted, device=tensor.device) % size)
    return tensor


def runs(model: nn.Module, x: Inputs) -> bool:
    """Whether a network takes these inputs, in float64."""
    try:
        with evaluating(model), torch.no_grad(), Whole():
            called(model, x)
    except BadInput:
        return False
    return True
