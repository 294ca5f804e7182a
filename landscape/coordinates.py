"""Which numbers of a network are the coordinates of w: its trainable parameters, or the survivors among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from store.command import BadInput

Subspace = Literal["survivors", "full"]


class Coordinates:
    """Vectors (d,) in float64 <-> tensors in the shapes of the trainable parameters.

    Parameters come in registration order, a shared tensor once. With `subspace` = "survivors" the coordinates are the
    weights whose mask is True, with "full" all of them; without masks both are the same.
    """

    def __init__(self, model: nn.Module, masks: Mapping[str, Tensor], subspace: Subspace) -> None:
        parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        if not parameters:
            raise BadInput("the network has no trainable parameters (requires_grad is False for all of them)")
        self.shapes = {name: parameter.shape for name, parameter in parameters.items()}
        kept = _flat_mask(model, parameters, masks)
        self.full = torch.cat([p.detach().double().flatten() for p in parameters.values()]).where(kept, 0.0)
        """(D,) all parameters, 0 where removed"""
        self.kept = kept
        """(D,) bool, True = survives"""
        everything = subspace == "full" or bool(kept.all())
        self.index = None if everything else kept.nonzero().squeeze(1)
        self.dtypes = {name: parameter.dtype for name, parameter in parameters.items()}

    @property
    def dimension(self) -> int:
        """d, the number of coordinates."""
        return len(self.full) if self.index is None else len(self.index)

    @property
    def point(self) -> Tensor:
        """(d,) the coordinates of the network as it is."""
        return self.restrict(self.full)

    def restrict(self, dense: Tensor) -> Tensor:
        """(..., D) -> (..., d): the coordinates among all parameters."""
        return dense if self.index is None else dense[..., self.index]

    def extend(self, vector: Tensor) -> Tensor:
        """(d,) -> (D,): zero where a parameter is no coordinate."""
        if self.index is None:
            return vector
        return torch.zeros_like(self.full).index_copy_(0, self.index, vector)

    def tensors(self, dense: Tensor, *, native: bool = False) -> dict[str, Tensor]:
        """(D,) -> tensors in the parameters' shapes; `native`: in their data types too, else float64."""
        parts = dense.split([shape.numel() for shape in self.shapes.values()])
        shaped = {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}
        if native:
            return {name: tensor.to(self.dtypes[name]) for name, tensor in shaped.items()}
        return shaped

    def vector(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Tensors by parameter name -> (d,) in float64."""
        return self.restrict(torch.cat([tensors[name].double().flatten() for name in self.shapes]))


def _flat_mask(model: nn.Module, parameters: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
    """(D,) bool; a mask may go by any name of a shared tensor."""
    names = {id(parameter): name for name, parameter in parameters.items()}
    every = dict(model.named_parameters(remove_duplicate=False))
    kept = {name: torch.ones_like(p, dtype=torch.bool) for name, p in parameters.items()}
    for name, mask in masks.items():
        if name not in every:
            raise BadInput(f"there is a mask for {name}, but the network has no such parameter")
        if mask.shape != every[name].shape:
            shapes = f"{tuple(mask.shape)}, the parameter {tuple(every[name].shape)}"
            raise BadInput(f"the mask of {name} has the shape {shapes}")
        if id(every[name]) in names:
            kept[names[id(every[name])]] &= mask.to(every[name].device).bool()
    return torch.cat([mask.flatten() for mask in kept.values()])
