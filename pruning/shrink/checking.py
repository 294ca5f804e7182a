"""Whether two networks return the same: in float64 and in float32, on real and on random inputs."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call, floats_to, mapped
from pruning.shrink.whole import Whole

SOME = 64
"""real examples on which outputs are compared, and as many random ones"""
ALLOWED = {"float64": 1e-10, "float32": 1e-5}
"""largest difference of an output, times max(1, largest output)"""


def differences(wide: nn.Module, small: nn.Module, exact: nn.Module, x: Inputs) -> dict[str, float]:
    """The largest difference of an output between the networks, in eval mode, by data type.

    Args:
        wide: the network that was made smaller, and `small`, as they run.
        exact: the smaller one as it was found, in float64.
        x: (N, ...) real inputs, of which the first are run, and random ones like them.

    Raises:
        BadInput: a difference is larger than allowed.
    """
    real = x[:SOME]
    found = {}
    for kind, other in (("float64", exact), ("float32", small)):
        dtype = getattr(torch, kind)
        ours, theirs = (copy.deepcopy(model).to(dtype) for model in (wide, other))
        largest = 0.0
        for inputs in (real, random_like(real)):
            largest = max(largest, _difference(ours, theirs, floats_to(inputs, dtype), kind))
        found[kind] = largest
    return found


def random_like(x: Inputs) -> Inputs:
    """Inputs of the same shape and kind: normal with each tensor's mean and deviation, or its integers shuffled."""
    draws = torch.Generator().manual_seed(0)

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            order = torch.randperm(tensor.numel(), generator=draws).to(tensor.device)
            return tensor.flatten()[order].view(tensor.shape)
        normal = torch.randn(tensor.shape, generator=draws, dtype=torch.float64).to(tensor)
        return normal * tensor.std(correction=0) + tensor.mean()

    return mapped(x, drawn)


def outputs(model: nn.Module, x: Inputs, whole: bool = False) -> list[Tensor]:
    """The floating tensors that a network returns.

    Args:
        whole: nothing is rounded to less than float64 on the way, whatever the network's code says.
    """
    with evaluating(model), torch.no_grad():
        if whole:
            with Whole():
                returned = call(model, x)
        else:
            returned = call(model, x)
    return [leaf for leaf in tree_leaves(returned) if torch.is_tensor(leaf) and leaf.is_floating_point()]


def _difference(ours: nn.Module, theirs: nn.Module, x: Inputs, kind: str) -> float:
    largest = 0.0
    pairs = zip(*(outputs(model, x, kind == "float64") for model in (ours, theirs)), strict=True)
    for one, other in pairs:
        apart = float((one.double() - other.double()).abs().max()) if one.numel() else 0.0
        allowed = ALLOWED[kind] * max(1.0, float(one.abs().max()) if one.numel() else 0.0)
        if not apart <= allowed:
            raise BadInput(
                f"the smaller network returns something else: outputs differ by {apart:.3g} in {kind}, of "
                f"{allowed:.3g} allowed: nothing is written. Has the network branches on its data, or draws at random?"
            )
        largest = max(largest, apart)
    return largest
