"""What the outputs of layers are while a network runs, and derivatives by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def layers(model: nn.Module) -> dict[str, nn.Module]:
    """Linear layers and convolutions by name; their outputs are the neurons' potentials."""
    from torch import nn

    kinds = nn.Linear | nn.modules.conv._ConvNd
    return {
        name: module for name, module in model.named_modules() if isinstance(module, kinds) and not _transposed(module)
    }


@contextmanager
def potentials(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Inside the block: a dictionary that every pass fills with the outputs of the layers, with their graph. A layer
    that is called again is seen as it was called last; what follows works on a copy, be it in place."""
    found: dict[str, Tensor] = {}

    def see(name: str, made: Tensor) -> Tensor:
        found[name] = made
        return made.clone()

    handles = [
        module.register_forward_hook(lambda _module, _given, made, name=name: see(name, made))
        for name, module in layers(model).items()
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def over_positions(values: Tensor, layer: nn.Module) -> Tensor:
    """(units,): the mean over examples and positions of values (n, units, ...); of a linear layer's (n, ..., units)."""
    from torch import nn

    axis = 1 if isinstance(layer, nn.modules.conv._ConvNd) else -1
    return values.movedim(axis, -1).flatten(0, -2).mean(0)


def _transposed(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, nn.modules.conv._ConvTransposeNd)
