"""Marks: 1 where a path leads, 0 where none does. They stand in for a network's numbers and for its gradients.

A tensor of marks requires a gradient, and by that it is known; those that come of weights alone carry an attribute.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Presence(torch.autograd.Function):
    """1 for what is positive, forward and backward: nothing grows or vanishes, however deep the network."""

    @staticmethod
    def forward(ctx: Any, counts: Tensor) -> Tensor:  # noqa: ARG004
        return (counts > 0).to(counts)

    @staticmethod
    def backward(ctx: Any, *counts: Tensor) -> Tensor:  # noqa: ARG004
        return (counts[0] > 0).to(counts[0])


def leaf(present: Tensor, of_weight: bool = False) -> Tensor:
    """Marks (float64) from which paths are followed."""
    marks = present.double().requires_grad_()
    marks.of_weight = of_weight  # type: ignore[attr-defined]
    return marks


def marked(counts: Tensor, of_weight: bool = False) -> Tensor:
    """Marks of what an operation on marks has counted."""
    marks: Tensor = _Presence.apply(counts)
    marks.of_weight = of_weight  # type: ignore[attr-defined]
    return marks


def copied(marks: Tensor) -> Tensor:
    """The same marks in memory of their own."""
    copy = marks.clone()
    copy.of_weight = marks.of_weight  # type: ignore[attr-defined]
    return copy


def is_mark(value: Any) -> bool:
    """Whether a value stands for signals or weights."""
    return torch.is_tensor(value) and value.requires_grad


def is_signal(value: Any) -> bool:
    """Whether it stands for what depends on the input."""
    return is_mark(value) and not value.of_weight


def factor(value: Any) -> Any:
    """What a signal is multiplied by: marks as they are, a constant tensor as where it is not zero."""
    return (value != 0).double() if torch.is_tensor(value) and not is_mark(value) else value


def summand(value: Any) -> Any:
    """What a signal stands beside: a constant tensor carries no path."""
    constant = torch.is_tensor(value) and value.is_floating_point() and not is_mark(value)
    return torch.zeros_like(value, dtype=torch.float64) if constant else value
