"""Slopes of a loss and differences of its gradient, against what autograd says of both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape.objective.graphs import slopes

Tensors = dict[str, Tensor]
SHARE = 1e-7
"""of the whole product: a tensor's part of it that is smaller is not looked at"""
AMPLIFIED = 10.0
"""times what rounding changed once is what it may change"""


@dataclass(frozen=True)
class Precision:
    """How finite differences are taken in a data type, and how far they may be from the derivative."""

    dtype: torch.dtype
    tolerance: float
    """relative"""
    steps: Sequence[float]
    """of the norm of w, one after the other until there is agreement"""
    finer: Sequence[float] = ()
    """further ones, for networks with so many kinks that every step above crosses some"""

    @property
    def rounding(self) -> float:
        """The relative rounding error of one number of this data type."""
        return torch.finfo(self.dtype).eps


DOUBLE = Precision(torch.float64, 1e-4, (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), finer=(1e-9, 1e-10, 1e-11))
SINGLE = Precision(torch.float32, 1e-2, (1e-2, 3e-3, 1e-3, 3e-4, 1e-4))


@dataclass(frozen=True)
class Loss:
    """The summed loss of a few examples as a function of tensors by name."""

    of: Callable[[Mapping[str, Tensor]], Tensor]

    def value(self, tensors: Tensors) -> float:
        """The loss at these tensors, without a graph."""
        with torch.no_grad():
            return float(self.of(tensors))

    def gradient(self, tensors: Tensors, *, spare: bool = False) -> tuple[float, Tensors]:
        """The loss, and its gradient; `spare`: nobody needs the tensors any more, which saves a copy of them."""
        graph, leaves = self.graph(tensors, spare=spare)
        return float(graph.detach()), dict(zip(tensors, slopes(graph, leaves), strict=True))

    def graph(self, tensors: Tensors, *, spare: bool = False) -> tuple[Tensor, list[Tensor]]:
        """The loss with its graph, and what it is a function of: leaves, which the network may write to."""
        own = {name: tensor.detach() if spare else tensor.detach().clone() for name, tensor in tensors.items()}
        leaves = {name: tensor.requires_grad_() for name, tensor in own.items()}
        with torch.enable_grad():
            return self.of(leaves), list(leaves.values())

    def product(self, tensors: Tensors, direction: Tensors) -> Tensors:
        """The Hessian times a direction, by double backward."""
        value, leaves = self.graph(tensors)
        with torch.enable_grad():
            gradient = slopes(value, leaves, create_graph=True)
            along = torch.stack([(g * v).sum() for g, v in zip(gradient, direction.values(), strict=True)]).sum()
            del gradient, value
            return dict(zip(tensors, slopes(along, leaves), strict=True))


@dataclass(frozen=True)
class Outcome:
    """What did not agree along a direction, at any step."""

    slope: tuple[float, float] | None
    """that of the loss, and the gradient's; None: they agree"""
    curved: tuple[str, ...]
    """tensors in which the difference of gradients is not the product"""

    @property
    def agrees(self) -> bool:
        """Whether differences and derivatives agree, in slope and in curvature."""
        return self.slope is None and not self.curved


def compare(loss: Loss, at: Tensors, direction: Tensors, reach: float, precision: Precision) -> Outcome:
    """Central differences along a direction of norm 1 against g . v and H v; `reach`: the norm of w.

    Each number has to agree at one step: a larger one may cross kinks or bends, a smaller one is lost in rounding, for
    which there is a floor, measured by moving w by as much as it is rounded. A convolutional network of millions of
    units crosses kinks at any of the usual steps; at the finer ones rounding excuses no more than the tolerance.
    """
    said, floor, floors = _slope(loss, at, direction, precision)
    product = loss.product(at, direction)
    whole = norm(product)
    slope: float | None = None
    pending = set(at)
    sloping = True
    for step in (*precision.steps, *precision.finer):
        found, change = _difference(loss, at, direction, step * reach)
        room = AMPLIFIED / (step * reach)
        most = math.inf if step in precision.steps else precision.tolerance
        size = max(abs(found), abs(said))
        if abs(found - said) <= precision.tolerance * size + min(room * floor, most * size):
            sloping = False
        slope = found if slope is None else slope
        for name in list(pending):
            error, size = _norm(change[name] - product[name]), max(_norm(change[name]), _norm(product[name]))
            rounding = min(room * floors[name], most * size) if size else room * floors[name]
            if error <= precision.tolerance * size + SHARE * whole + rounding:
                pending.discard(name)
        if not sloping and not pending:
            break
    return Outcome((slope or 0.0, said) if sloping else None, tuple(name for name in at if name in pending))


def _difference(loss: Loss, at: Tensors, direction: Tensors, step: float) -> tuple[float, Tensors]:
    """Slope and change of the gradient along a direction, by central differences."""
    above, change = loss.gradient(_moved(at, direction, step), spare=True)
    below, falling = loss.gradient(_moved(at, direction, -step), spare=True)
    for name, each in change.items():
        each.sub_(falling.pop(name)).div_(2 * step)
    return (above - below) / (2 * step), change


def _slope(loss: Loss, at: Tensors, direction: Tensors, precision: Precision) -> tuple[float, float, dict[str, float]]:
    """g . v, and by how much the loss and the parts of its gradient change where w changes in its last digits."""
    value, gradient = loss.gradient(at)
    said, sizes = dot(gradient, direction), {name: _norm(each) for name, each in gradient.items()}
    signs = torch.Generator().manual_seed(0)
    nudged = {}
    for name, tensor in at.items():
        sign = torch.randint(0, 2, tensor.shape, generator=signs, dtype=torch.int8).mul_(2).sub_(1).to(tensor.device)
        nudged[name] = tensor.addcmul(tensor, sign, value=4 * precision.rounding)
    other, change = loss.gradient(nudged, spare=True)
    floors = {
        name: _norm(change.pop(name).sub_(gradient.pop(name))) + precision.rounding * sizes[name] for name in sizes
    }
    return said, abs(other - value) + precision.rounding * (1 + abs(value)), floors


def _moved(at: Tensors, direction: Tensors, step: float) -> Tensors:
    """w + step v."""
    return {name: tensor.add(direction[name], alpha=step) for name, tensor in at.items()}


def norm(tensors: Tensors) -> float:
    """The Euclidean norm of all tensors as one vector."""
    return sum(_norm(each) ** 2 for each in tensors.values()) ** 0.5


def dot(one: Tensors, other: Tensors) -> float:
    """The inner product of two vectors that are given as tensors by name, summed in float64."""
    return sum(float(torch.dot(one[name].double().flatten(), other[name].double().flatten())) for name in one)


def scale(tensors: Tensors, factor: float) -> Tensors:
    """Multiply all tensors by a number, in place."""
    for each in tensors.values():
        each.mul_(factor)
    return tensors


def singly(direction: Tensors) -> Iterator[tuple[str, Tensors]]:
    """The parts of a direction one by one, each of norm 1 as a direction of its own."""
    for name, part in direction.items():
        size = _norm(part)
        if size:
            yield (
                name,
                {other: part / size if other == name else torch.zeros_like(each) for other, each in direction.items()},
            )


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor.double()))
