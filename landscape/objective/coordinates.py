"""Which numbers of a network are the coordinates of w: its trainable parameters, or the survivors among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.subject.precision import require_real

Subspace = Literal["survivors", "full"]


class Which(TypedDict):
    """Which of a network's weights are coordinates, as `Coordinates` takes it."""

    masks: Mapping[str, Tensor]
    subspace: Subspace
    parameters: Sequence[str] | None
    moving: Mapping[str, Tensor] | None


class Coordinates:
    """Vectors (d,) in float64 <-> tensors in the shapes of the trainable parameters.

    Parameters come in registration order, a shared tensor once. With `subspace` = "survivors" the coordinates are the
    weights whose mask is True, with "full" all of them; without masks both are the same. `parameters` names those that
    count, or modules with all that is in them; the others stay where they are, removed weights at 0. `moving` (name ->
    bool tensor) leaves coordinates out without removing weights: where it is False a weight stays at its value. So does
    the row of an `nn.Embedding` that is padding, unless another layer has the weight too: no training moves it.

    >>> Coordinates(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), {}, "survivors", ["0.bias", "1"]).dimension
    14
    """

    def __init__(
        self,
        model: nn.Module,
        masks: Mapping[str, Tensor],
        subspace: Subspace,
        parameters: Sequence[str] | None = None,
        moving: Mapping[str, Tensor] | None = None,
    ) -> None:
        chosen = _trainable(model)
        if parameters is not None:
            names = named(model, parameters)
            chosen = {name: parameter for name, parameter in chosen.items() if name in names}
        self.shapes = {name: parameter.shape for name, parameter in chosen.items()}
        self.dtypes = {name: parameter.dtype for name, parameter in chosen.items()}
        every = _kept(model, masks)
        values = {name: parameter.detach().where(every[name], 0.0) for name, parameter in model.named_parameters()}
        self.fixed = {name: value for name, value in values.items() if name not in chosen}
        """the parameters that are not measured, as they are"""
        free = _kept(model, moving or {})
        self.padding = {name: rows for name, rows in _padding(model).items() if name in chosen}
        """rows of embeddings that are padding, by parameter: they stay where they are"""
        for name, rows in self.padding.items():
            free[name][rows] = False
        self.full = torch.cat([values[name].double().flatten() for name in chosen])
        """(D,) all parameters that count, 0 where removed"""
        self.kept = torch.cat([every[name].flatten() for name in chosen])
        """(D,) bool, True = survives"""
        moves = torch.cat([free[name].flatten() for name in chosen])
        self.removed = int((moves & ~self.kept).sum()) if subspace == "survivors" else 0
        """how many more there would be without masks"""
        if subspace == "survivors":
            moves &= self.kept
        self.index = None if moves.all() else moves.nonzero().squeeze(1)
        if not self.dimension:
            which = "the network" if parameters is None else ", ".join(chosen)
            raise BadInput(f"all weights of {which} are removed: there is nothing to measure there")

    @property
    def dimension(self) -> int:
        """The number d of coordinates: of the weights that may move."""
        return len(self.full) if self.index is None else len(self.index)

    @property
    def point(self) -> Tensor:
        """(d,) the coordinates of the network as it is."""
        return self.restrict(self.full)

    @property
    def sizes(self) -> dict[str, int]:
        """How many coordinates each parameter has."""
        moving = self.tensors(self.extend(torch.ones_like(self.point)))
        return {name: int(tensor.sum()) for name, tensor in moving.items()}

    def normal(self, generator: torch.Generator) -> Tensor:
        """Standard normal coordinates (d,), drawn for all parameters, so that a mask only leaves some out."""
        drawn = torch.randn(len(self.full), generator=generator, dtype=torch.float64)
        return self.restrict(drawn.to(self.full.device))

    def signs(self, generator: torch.Generator) -> Tensor:
        """Coordinates -1 or 1 (d,), drawn likewise."""
        drawn = torch.randint(0, 2, (len(self.full),), generator=generator)
        return self.restrict(2.0 * drawn.double().to(self.full.device) - 1)

    def restrict(self, dense: Tensor) -> Tensor:
        """(..., D) -> (..., d): the coordinates among all parameters that count."""
        return dense if self.index is None else dense[..., self.index]

    def extend(self, vector: Tensor) -> Tensor:
        """(d,) -> (D,): zero where a parameter is no coordinate."""
        if self.index is None:
            return vector
        return vector.new_zeros(len(self.full)).index_copy_(0, self.index, vector)

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


def _trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    trainable = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if not trainable:
        raise BadInput("the network has no trainable parameters (requires_grad is False for all of them)")
    for name, parameter in trainable.items():
        require_real(name, parameter, type(model).__qualname__)
    return trainable


def _padding(model: nn.Module) -> dict[str, list[int]]:
    """Rows of padding (`padding_idx`) of the network's embeddings, by the parameter's first name.

    A weight that another kind of layer has too, as a tied head does, is moved through that: none of its rows is left.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    users: dict[str, list[nn.Module]] = {}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            users.setdefault(names[id(parameter)], []).append(module)
    rows = {name: [{_padding_row(module)} for module in own] for name, own in users.items()}
    held = {name: [row for row in set.intersection(*each) if row is not None] for name, each in rows.items()}
    return {name: each for name, each in held.items() if each}


def _padding_row(module: nn.Module) -> int | None:
    return module.padding_idx if isinstance(module, nn.Embedding) else None


def named(model: nn.Module, parameters: Sequence[str]) -> set[str]:
    """Names of the trainable parameters that are asked for, by any name of a shared tensor or of a module.

    Raises:
        BadInput: nothing is named, or something that is not there.
    """
    names = {id(parameter): name for name, parameter in _trainable(model).items()}
    every = model.named_parameters(remove_duplicate=False)
    known = {name: names[id(parameter)] for name, parameter in every if id(parameter) in names}
    if not parameters:
        raise BadInput("no parameters are named: there is nothing to measure")
    found: set[str] = set()
    for asked in parameters:
        own = {first for name, first in known.items() if name == asked or name.startswith(f"{asked}.")}
        if not own:
            some = ", ".join(list(known)[:6]) + (" ..." if len(known) > 6 else "")
            raise BadInput(f"{asked}: the network has no trainable parameter or module of this name; it has {some}")
        found |= own
    return found


def _kept(model: nn.Module, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """For each parameter what survives (bool); a mask may go by any name of a shared tensor."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    every = dict(model.named_parameters(remove_duplicate=False))
    kept = {name: torch.ones_like(p, dtype=torch.bool) for name, p in model.named_parameters()}
    for name, mask in masks.items():
        if name not in every:
            raise BadInput(f"there is a mask for {name}, but the network has no such parameter")
        if mask.shape != every[name].shape:
            shapes = f"{tuple(mask.shape)}, the parameter {tuple(every[name].shape)}"
            raise BadInput(f"the mask of {name} has the shape {shapes}")
        kept[names[id(every[name])]] &= mask.to(every[name].device).bool()
    return kept
