"""Convolution whose second derivative costs no more than its arithmetic.

PyTorch's own second derivative of a convolution computes two of its four terms as convolutions with kernels as large
as the image: on a CPU a Hessian-vector product of a ResNet-20 then takes 1.2 times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from landscape.passes import winograd

aten = torch.ops.aten
_backward_pass = torch._C._current_graph_task_id
"""the number of the backward pass that runs; -1 outside"""
USUAL = {"stride": 1, "padding": 0, "dilation": 1}
Pair = tuple[Tensor, Tensor]
Adjoints = tuple[Tensor | None, Tensor | None, Tensor | None]


@dataclass(frozen=True)
class Geometry:
    """How a kernel moves over its input: one number for each spatial axis."""

    stride: list[int]
    padding: list[int]
    dilation: list[int]
    groups: int

    @classmethod
    def given(cls, axes: int, arguments: Mapping[str, Any]) -> Geometry | None:
        """The geometry that the arguments of a convolution with so many spatial axes give; None where its padding is by
        name.

        >>> Geometry.given(2, {"padding": (1, 2), "stride": 3})
        Geometry(stride=[3, 3], padding=[1, 2], dilation=[1, 1], groups=1)
        """
        stride, padding, dilation = (arguments.get(name, usual) for name, usual in USUAL.items())
        if isinstance(padding, str):
            return None
        return cls(_each(stride, axes), _each(padding, axes), _each(dilation, axes), arguments.get("groups", 1))

    def in_tiles(self, x: Tensor, weight: Tensor) -> bool:
        """Whether convolutions of such images can be computed in tiles, once channels are last (`winograd`)."""
        return winograd.fits(x, weight, self.stride, self.padding, self.dilation, self.groups)

    def convolve(self, *pairs: Pair, bias: Tensor | None = None) -> Tensor:
        """The sum of x (n, c, ...) * weight (o, c / groups, ...) over pairs of both, + bias -> (n, o, ...)."""
        if all(self._tiles(x, weight) for x, weight in pairs):
            return winograd.convolution(pairs, bias)
        (x, weight), *others = pairs
        fixed = (self.stride, self.padding, self.dilation, False, [0] * len(self.stride), self.groups)
        made: Tensor = aten.convolution(x, weight, bias, *fixed)
        return made + self.convolve(*others) if others else made

    def adjoints(
        self, cotangent: Tensor, weight: Tensor, x: Tensor, wanted: Sequence[bool], others: Sequence[Pair] = ()
    ) -> Adjoints:
        """The gradients of cotangent . (x * weight + bias) with respect to x, weight and bias: those `wanted`.

        `others`: more pairs of a cotangent and a weight, which count in the first gradient only.
        """
        if self._tiles(x, weight):
            return winograd.adjoints([(cotangent, weight), *others], x, wanted)
        still, sizes = [0] * len(self.stride), [len(weight)]
        fixed = (self.stride, self.padding, self.dilation, False, still, self.groups)
        to_x, *rest = aten.convolution_backward(cotangent, x, weight, sizes, *fixed, list(wanted))
        for other in others if wanted[0] else ():
            to_x += self.adjoints(*other, x, (True, False, False))[0]
        return to_x, *rest

    def _tiles(self, x: Tensor, weight: Tensor) -> bool:
        last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
        return last and self.in_tiles(x, weight)


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """x * weight + bias, to be differentiated once or twice in reverse mode, or once in forward mode.

    >>> x, kernel = torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[1.0, -1.0]]], requires_grad=True)
    >>> y = convolution(x, kernel, None, Geometry([1], [0], [1], 1))
    >>> (slope,) = torch.autograd.grad(y.square().sum(), kernel, create_graph=True)
    >>> y.tolist(), slope.tolist(), torch.autograd.grad(slope.sum(), kernel)[0].tolist()
    ([[[-1.0, -1.0]]], [[[-6.0, -10.0]]], [[[26.0, 42.0]]])
    """
    made: Tensor = _Convolution.apply(x, weight, bias, geometry)[0]
    return made


def no_graph() -> None:
    """What follows leaves no graph behind to differentiate a third time, and would look constant.

    Raises:
        RuntimeError: a graph is wanted.
    """
    if torch.is_grad_enabled():
        raise RuntimeError("this pass can be differentiated twice, with create_graph=True only the first time")


@dataclass
class _Call:
    """A convolution, as its node and that of its adjoints know it.

    The second gradient with respect to x is the sum of two, which come of pairs that one node knows first and the other
    later. They are computed at once: the first leaves its pair here.
    """

    geometry: Geometry
    shape: torch.Size
    """of what it makes"""
    left: dict[int, Pair] = field(default_factory=dict)
    """a cotangent and a kernel, by the number of the backward pass"""

    def change(
        self, x: Tensor, weight: Tensor, of_x: Tensor | None, of_weight: Tensor | None, of_bias: Tensor | None
    ) -> Tensor | None:
        """How x * weight + bias changes along a direction in all three; None: it does not."""
        pairs = [(a, b) for a, b in ((of_x, weight), (x, of_weight)) if a is not None and b is not None]
        if pairs:
            return self.geometry.convolve(*pairs, bias=of_bias)
        return None if of_bias is None else of_bias.view(-1, *[1] * len(self.geometry.stride)).expand(self.shape)

    def leave(self, pair: Pair) -> None:
        """For this backward pass, and for no other: one that was broken off took nothing."""
        self.left = {_backward_pass(): pair}

    def take(self) -> list[Pair]:
        """What was left in this backward pass, once."""
        pair = self.left.pop(_backward_pass(), None)
        return [] if pair is None else [pair]


class _Convolution(Function):
    """Of its two results `knot` is empty. The adjoints take it, so that a second backward pass that went by them comes
    by here as well, whatever the loss.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> tuple[Tensor, Tensor]:
        knot = weight.new_empty(0)  # of x it would be one more use of it, in a traced pass
        ctx.save_for_backward(x, weight, knot)
        ctx.save_for_forward(x, weight)
        ctx.set_materialize_grads(False)
        made = geometry.convolve((x, weight), bias=bias)
        ctx.call = _Call(geometry, made.shape)
        return made, knot

    @staticmethod
    def jvp(
        ctx: Any, of_x: Tensor | None, of_weight: Tensor | None, of_bias: Tensor | None, _: None
    ) -> tuple[Tensor | None, Tensor]:
        """`of_x` and so on: tangents."""
        x, weight = ctx.saved_tensors
        return ctx.call.change(x, weight, of_x, of_weight, of_bias), x.new_empty(0)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
        x, weight, knot = ctx.saved_tensors
        if cotangent is not None:
            return (*_Adjoints.apply(cotangent, x, weight, knot, ctx.call, ctx.needs_input_grad[:3]), None)
        to_x = [ctx.call.geometry.adjoints(*pair, x, (True, False, False))[0] for pair in ctx.call.take()]
        return to_x[0] if to_x else None, None, None, None


class _Adjoints(Function):
    @staticmethod
    def forward(
        ctx: Any, cotangent: Tensor, x: Tensor, weight: Tensor, _: Tensor, call: _Call, wanted: Sequence[bool]
    ) -> Adjoints:
        ctx.save_for_backward(cotangent, x, weight)
        ctx.set_materialize_grads(False)
        ctx.call = call
        return call.geometry.adjoints(cotangent, weight, x, wanted, call.take())

    @staticmethod
    def backward(
        ctx: Any, of_x: Tensor | None, of_weight: Tensor | None, of_bias: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """`of_x` and so on: cotangents of the three gradients, which are bilinear in what they were made of."""
        no_graph()
        cotangent, x, weight = ctx.saved_tensors
        needs, geometry = ctx.needs_input_grad, ctx.call.geometry
        to_cotangent = ctx.call.change(x, weight, of_x, of_weight, of_bias) if needs[0] else None
        to_weight = None
        if needs[2] and of_x is not None:
            to_weight = geometry.adjoints(cotangent, weight, of_x, (False, True, False))[1]
        if needs[1] and of_weight is not None:
            ctx.call.leave((cotangent, of_weight))
        return to_cotangent, None, to_weight, None, None, None


def _each(number: int | Sequence[int], axes: int) -> list[int]:
    """One number for each axis: a single one holds for all."""
    numbers = [number] if isinstance(number, int) else list(number)
    return numbers * axes if len(numbers) == 1 else numbers
