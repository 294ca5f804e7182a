"""The convolution with a derivative of its own, against numerical differentiation and PyTorch's."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional

from landscape.passes.convolution import Geometry, convolution

CASES = {
    "1d": ((2, 2, 5), (3, 2, 3), Geometry([1], [1], [1], 1)),
    "2d strided": ((2, 2, 5, 4), (3, 2, 3, 2), Geometry([2, 1], [1, 0], [1, 1], 1)),
    "dilated": ((1, 2, 6, 6), (2, 2, 2, 2), Geometry([1, 1], [1, 1], [2, 3], 1)),
    "grouped": ((2, 4, 4, 4), (6, 2, 3, 3), Geometry([1, 1], [1, 1], [1, 1], 2)),
    "depthwise": ((2, 3, 4, 4), (3, 1, 3, 3), Geometry([2, 2], [1, 1], [1, 1], 3)),
    "3d": ((1, 1, 3, 3, 3), (2, 1, 2, 2, 2), Geometry([1, 1, 1], [0, 1, 0], [1, 1, 1], 1)),
}


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_derivatives_agree_with_differences(case: str, with_bias: bool) -> None:
    shape, kernel, geometry = CASES[case]
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(kernel, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(kernel[0], dtype=torch.float64, requires_grad=True) if with_bias else None
    torch_s = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[len(geometry.stride)]
    plain = torch_s(x, weight, bias, geometry.stride, geometry.padding, geometry.dilation, geometry.groups)
    assert torch.equal(convolution(x, weight, bias, geometry), plain)
    inputs = [tensor for tensor in (x, weight, bias) if tensor is not None]

    def smooth(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        return convolution(x, weight, bias, geometry).sin()  # so that the second derivative has all its terms

    assert gradcheck(smooth, inputs, check_forward_ad=True)
    assert gradgradcheck(smooth, inputs)


def test_only_what_is_asked_for_is_differentiated() -> None:
    x, weight = torch.randn(1, 1, 4, 4), torch.randn(2, 1, 3, 3, requires_grad=True)
    made = convolution(x, weight, None, Geometry([1, 1], [0, 0], [1, 1], 1))
    (slope,) = torch.autograd.grad(made.square().sum(), weight, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), weight)
    assert second.shape == weight.shape
    assert x.grad is None


def test_a_loss_that_is_linear_in_what_is_made() -> None:
    x, weight = torch.randn(1, 1, 4, 4, requires_grad=True), torch.randn(2, 1, 3, 3, requires_grad=True)
    same, given = Geometry([1, 1], [1, 1], [1, 1], 1), torch.randn(2, 1, 3, 3)
    made = convolution(x, weight, None, same).sum()
    (slope,) = torch.autograd.grad(made, weight, create_graph=True)
    exact = functional.conv_transpose2d(torch.ones(1, 2, 4, 4), given, padding=1)
    for factor in (1, -2):  # the graph serves many vectors
        (mixed,) = torch.autograd.grad((slope * given).sum() * factor, x, retain_graph=True)
        assert torch.allclose(mixed, exact * factor, atol=1e-5)


def test_what_one_backward_pass_left_over_is_not_found_by_the_next() -> None:
    x, kernel = torch.randn(1, 1, 4, 4, requires_grad=True), torch.randn(1, 1, 3, 3, requires_grad=True)
    factors = torch.randn(1, 1, 4, 4, requires_grad=True)
    loss = (convolution(x, kernel, None, Geometry([1, 1], [1, 1], [1, 1], 1)) * factors).sum()
    (plain,) = torch.autograd.grad(loss, x, retain_graph=True)
    (slope,) = torch.autograd.grad(loss, kernel, create_graph=True)
    torch.autograd.grad(slope.sum(), factors, retain_graph=True)  # what the convolution left has nowhere to go
    assert torch.equal(torch.autograd.grad(loss, x)[0], plain)
