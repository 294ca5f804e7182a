"""Convolution whose second derivative costs no more than its arithmetic.

PyTorch's own second derivative of a convolution computes two of its four terms as convolutions with kernels as large
as the image: on a CPU a Hessian-vector product of a ResNet-20 then takes 1.2 times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from landscape import winograd

aten = torch.ops.aten
USUAL = {"stride": 1, "padding": 0, "dilation": 1}
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
        """By the arguments of a convolution with so many spatial axes; None where its padding is by name.

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

    def convolve(self, *pairs: tuple[Tensor, Tensor], bias: Tensor | None = None) -> Tensor:
        """The sum of x (n, c, ...) * weight (o, c / groups, ...) over pairs of both, + bias -> (n, o, ...)."""
        if all(self._tiles(x, weight) for x, weight in pairs):
            return winograd.convolution(pairs, bias)
        (x, weight), *others = pairs
        fixed = (self.stride, self.padding, self.dilation, False, [0] * len(self.stride), self.groups)
        made: Tensor = aten.convolution(x, weight, bias, *fixed)
        return made + self.convolve(*others) if others else made

    def adjoints(self, cotangent: Tensor, x: Tensor, weight: Tensor, wanted: Sequence[bool]) -> Adjoints:
        """The gradients of cotangent . (x * weight + bias) with respect to x, weight and bias: those `wanted`."""
        if self._tiles(x, weight):
            return winograd.adjoints(cotangent, x, weight, wanted)
        still, sizes = [0] * len(self.stride), [len(weight)]
        fixed = (self.stride, self.padding, self.dilation, False, still, self.groups)
        found: Adjoints = aten.convolution_backward(cotangent, x, weight, sizes, *fixed, list(wanted))
        return found

    def _tiles(self, x: Tensor, weight: Tensor) -> bool:
        last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
        return last and self.in_tiles(x, weight)


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """x * weight + bias, to be differentiated once or twice in reverse mode.

    >>> x, kernel = torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[1.0, -1.0]]], requires_grad=True)
    >>> y = convolution(x, kernel, None, Geometry([1], [0], [1], 1))
    >>> (slope,) = torch.autograd.grad(y.square().sum(), kernel, create_graph=True)
    >>> y.tolist(), slope.tolist(), torch.autograd.grad(slope.sum(), kernel)[0].tolist()
    ([[[-1.0, -1.0]]], [[[-6.0, -10.0]]], [[[26.0, 42.0]]])
    """
    made: Tensor = _Convolution.apply(x, weight, bias, geometry)
    return made


def no_graph() -> None:
    """What follows leaves no graph behind to differentiate a third time, and would look constant.

    Raises:
        RuntimeError: a graph is wanted.
    """
    if torch.is_grad_enabled():
        raise RuntimeError("this pass can be differentiated twice, with create_graph=True only the first time")


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return geometry.convolve((x, weight), bias=bias)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        return (*_Adjoints.apply(cotangent, *ctx.saved_tensors, ctx.geometry, ctx.needs_input_grad[:3]), None)


class _Adjoints(Function):
    @staticmethod
    def forward(
        ctx: Any, cotangent: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, wanted: Sequence[bool]
    ) -> Adjoints:
        ctx.save_for_backward(cotangent, x, weight)
        ctx.set_materialize_grads(False)
        ctx.geometry = geometry
        return geometry.adjoints(cotangent, x, weight, wanted)

    @staticmethod
    def backward(
        ctx: Any, of_x: Tensor | None, of_weight: Tensor | None, of_bias: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """`of_x` and so on: cotangents of the three gradients, which are bilinear in what they were made of."""
        no_graph()
        cotangent, x, weight = ctx.saved_tensors
        needs, geometry = ctx.needs_input_grad, ctx.geometry
        pairs = [(a, b) for a, b in ((of_x, weight), (x, of_weight)) if a is not None and b is not None]
        to_cotangent = to_x = to_weight = None
        if needs[0] and pairs:
            to_cotangent = geometry.convolve(*pairs, bias=of_bias)
        elif needs[0] and of_bias is not None:
            to_cotangent = of_bias.view(-1, *[1] * len(geometry.stride)).expand_as(cotangent)
        if needs[1] and of_weight is not None:
            to_x = geometry.adjoints(cotangent, x, of_weight, (True, False, False))[0]
        if needs[2] and of_x is not None:
            to_weight = geometry.adjoints(cotangent, of_x, weight, (False, True, False))[1]
        return to_cotangent, to_x, to_weight, None, None


def _each(number: int | Sequence[int], axes: int) -> list[int]:
    """One number for each axis: a single one holds for all."""
    numbers = [number] if isinstance(number, int) else list(number)
    return numbers * axes if len(numbers) == 1 else numbers
