"""What a network does in train mode alone: layers that it does not use in eval mode, and other outputs."""

from __future__ import annotations

import copy

import torch
from torch import nn

from minima.store.command import BadInput
from minima.zoo.anatomy.removable import Removable
from minima.zoo.examples.inputs import Inputs, called
from minima.zoo.examples.outputs import tensors_of
from pruning.shrink.sights import batch_of

FEW = 4


def unused(found: Removable) -> list[str]:
    """Modules with parameters that the pass that followed the units did not use."""
    names = [
        name.rpartition(".")[0] or type(found.model).__name__
        for name, parameter in found.model.named_parameters()
        if id(parameter) not in found.following.made
    ]
    return list(dict.fromkeys(names))


def check_training(wide: nn.Module, small: nn.Module, x: Inputs, modules: list[str]) -> None:
    """Run both in train mode on a few of the examples x (N, ...), where other layers may be used and returned.

    Args:
        modules: those that eval mode does not use, for the message.

    Raises:
        BadInput: the wide network runs there, and the small one does not, or returns other shapes.
    """
    x = batch_of(x, FEW)
    shapes = _shapes(wide, x)
    if shapes is None or _shapes(small, x) == shapes:
        return
    skipped = f" {', '.join(modules[:4])}: not used in eval mode, where units are followed." if modules else ""
    raise BadInput(
        "in train mode the smaller network would not run any more, or return outputs of another shape: the network "
        f"computes something else there.{skipped} Take out of it what is not needed (set it to None), or let eval mode "
        "return it too"
    )


def _shapes(model: nn.Module, x: Inputs) -> list[tuple[int, ...]] | None:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            return [tuple(each.shape) for each in tensors_of(called(copy.deepcopy(model).train(), x))]
        except BadInput:
            return None
