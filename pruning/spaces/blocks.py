"""N of every M weights that follow each other along the input axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.spaces.elements import Elements

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Blocks(Elements):
    """Weights of layers whose input axis falls into blocks of `size`; sparsity is counted over these alone.

    The input axis is the second: a linear layer's inputs, a convolution's input channels (of its group), each position
    of the kernel by itself. `dense` names layers that are left out.
    """

    kept: int
    size: int
    dense: tuple[str, ...] = ()

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The weights whose input axis divides into blocks, by parameter name; BadInput where one does not."""
        every = super().weights(model)
        layers = {name.removesuffix(".weight"): name for name in every}
        unknown = [layer for layer in self.dense if layer not in layers]
        if unknown:
            raise BadInput(
                f"--dense {' '.join(unknown)}: the network has no such convolution or linear layer (it has: "
                f"{', '.join(layers)})"
            )
        chosen = {layer: every[name] for layer, name in layers.items() if layer not in self.dense}
        odd = {layer: tuple(weight.shape) for layer, weight in chosen.items() if weight.shape[1] % self.size}
        if odd:
            raise BadInput(
                f"{self.kept}:{self.size} needs input axes (the second) that {self.size} divides, unlike "
                f"{', '.join(f'{layer} of shape {shape}' for layer, shape in odd.items())};\n"
                f"leave out what does not divide: --dense {' '.join([*self.dense, *odd])}"
            )
        return {layers[layer]: weight for layer, weight in chosen.items()}


def largest_of_blocks(weights: Mapping[str, Tensor], kept: int, size: int) -> dict[str, Tensor]:
    """Masks that keep the `kept` largest |w| of each block; of equal ones those that come first.

    >>> import torch
    >>> largest_of_blocks({"w": torch.tensor([[0.1, -0.5, 0.3, 0.2]])}, 2, 4)["w"].tolist()
    [[False, True, True, False]]
    """
    import torch

    # each (outputs, inputs, ...) -> (place in the block, outputs, block, ...) -> (size, blocks), side by side
    places = {name: weight.unflatten(1, (-1, size)).movedim(2, 0) for name, weight in weights.items()}
    flat = torch.cat([place.reshape(size, -1) for place in places.values()], 1).abs_()
    ahead = torch.zeros_like(flat, dtype=torch.int8)  # how many of the block come before this one
    for first in range(size):
        for second in range(first + 1, size):
            loses = flat[second] > flat[first]
            ahead[first] += loses
            ahead[second] += ~loses
    columns = (ahead < kept).split([place[0].numel() for place in places.values()], 1)
    return {
        name: part.reshape(place.shape).movedim(0, 2).flatten(1, 2)
        for (name, place), part in zip(places.items(), columns, strict=True)
    }
