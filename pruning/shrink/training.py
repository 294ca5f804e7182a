"""Layers that a network does not use in eval mode: the smaller one must still run where they are used."""

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
    """Run both in train mode, where layers that eval mode does not use may be used.

    Raises:
        BadInput: the wide network runs there, and the small one does not, or returns other shapes.
    """
    x = batch_of(x, FEW)
    shapes = _shapes(wide, x)
    if shapes is not None and _shapes(small, x) != shapes:
        raise BadInput(
            f"{', '.join(modules[:4])}: not used in eval mode, where the units were followed, but in train mode, where "
            "the smaller network would not run any more. Take out of the network what is not needed (set it to None), "
            "or let eval mode return what it makes"
        )


def _shapes(model: nn.Module, x: Inputs) -> list[tuple[int, ...]] | None:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            return [tuple(each.shape) for each in tensors_of(called(copy.deepcopy(model).train(), x))]
        except BadInput:
            return None
