"""How a network's outputs change along a direction in its parameters, J v: forward mode, or two passes backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from landscape.objective.derivatives.operations import named
from landscape.passes.attention import plain_attention
from landscape.passes.network import Network, no_forward_mode
from minima.zoo.examples.outputs import pick


def tangents(
    network: Network,
    weights: Mapping[str, Tensor],
    x: Any,
    direction: Sequence[Tensor],
    picked: Callable[[Any], Tensor] = pick,
) -> Tensor:
    """J v for the outputs (n, ...) of inputs x; `picked`: of what the network returns, the output that is measured.

    Where an operation has no derivative in forward mode (recurrent layers, distances), as the gradient of u -> u . J v,
    which is (J^T u) . v: exact as well, for twice the time.
    """
    with plain_attention():
        if network.rewriting.forward_mode:
            try:
                return _forward(network, weights, x, direction, picked)
            except RuntimeError as error:
                if not no_forward_mode(error):
                    raise
                network.rewriting.forward_mode = False
        return _twice_backward(network, weights, x, direction, picked)


def _forward(
    network: Network,
    weights: Mapping[str, Tensor],
    x: Any,
    direction: Sequence[Tensor],
    picked: Callable[[Any], Tensor],
) -> Tensor:
    with torch.no_grad(), forward_ad.dual_level():
        pairs = zip(weights.items(), direction, strict=True)
        moving = {name: forward_ad.make_dual(weight.detach(), v) for (name, weight), v in pairs}
        outputs, change = forward_ad.unpack_dual(picked(network(moving, x)))
    return torch.zeros_like(outputs) if change is None else change


def _twice_backward(
    network: Network,
    weights: Mapping[str, Tensor],
    x: Any,
    direction: Sequence[Tensor],
    picked: Callable[[Any], Tensor],
) -> Tensor:
    with torch.enable_grad():
        leaves = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
        outputs = picked(network(leaves, x))
        if not outputs.requires_grad:
            return torch.zeros_like(outputs)
        along = torch.zeros_like(outputs, requires_grad=True)
        with named(outputs):
            pulled = torch.autograd.grad(
                outputs, list(leaves.values()), along, create_graph=True, materialize_grads=True
            )
            total = torch.stack([(p * v).sum() for p, v in zip(pulled, direction, strict=True)]).sum()
            (change,) = torch.autograd.grad(total, along, materialize_grads=True)
    return change
