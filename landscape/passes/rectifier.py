"""ReLU whose second derivative costs nothing: PyTorch's own makes images of zeros and adds them to what comes by."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from landscape.passes.convolution import no_graph

_gate = torch.ops.aten.threshold_backward


def rectified(x: Tensor) -> Tensor:
    """max(x, 0), to be differentiated once or twice in reverse mode.

    >>> x = torch.tensor([-1.0, 2.0], requires_grad=True)
    >>> (slope,) = torch.autograd.grad((rectified(x) ** 3).sum(), x, create_graph=True)
    >>> slope.tolist(), torch.autograd.grad(slope.sum(), x)[0].tolist()
    ([0.0, 12.0], [0.0, 12.0])
    """
    made: Tensor = _Rectified.apply(x)
    return made


class _Rectified(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        made = x.relu()
        ctx.save_for_backward(made)
        return made

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Tensor:
        (made,) = ctx.saved_tensors
        passed: Tensor = _Gated.apply(cotangent, made.detach())
        return passed


class _Gated(Function):
    """The cotangent where something passed: constant in `made` but for a set of measure zero."""

    @staticmethod
    def forward(ctx: Any, cotangent: Tensor, made: Tensor) -> Tensor:
        ctx.save_for_backward(made)
        passed: Tensor = _gate(cotangent, made, 0)
        return passed

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        no_graph()
        return _gate(cotangent, *ctx.saved_tensors, 0), None
