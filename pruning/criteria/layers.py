"""The units of single layers, as criteria see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.unit_groups import QUERY, UnitGroup
from pruning.context.context import Context
from pruning.running.job import trained_by
from pruning.spaces.units_of import UnitsOf, followed_units

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from minima.zoo.subject.subject import Subject
    from pruning.context.criterion import Criterion

    Floats = NDArray[np.float64]
from pruning.context.unit_weights import of_units
from pruning.criteria.norms import norms_behind


@dataclass(frozen=True)
class Layer:
    """The units that one weight makes."""

    whole: UnitGroup
    """named by the weight, made by it alone, read by nothing"""
    parts: Sequence[UnitGroup]
    """the same units as they are read, with bias and batch normalisation; several where they are not all read alike"""
    order: Tensor
    """where each unit of `whole` lies in the parts, one behind the other"""

    @property
    def name(self) -> str:
        """The name of the weight."""
        return self.whole.name


@dataclass(frozen=True)
class Layers:
    """The layers of a network, each for itself."""

    every: Sequence[Layer]
    context: Context
    """of its space each group is a layer"""
    in_parts: Context
    """of its space each group is a part of a layer"""
    alive: Mapping[str, Tensor]
    """(units,) by layer: which have a weight left"""
    left_out: Mapping[str, str]
    """weights of convolutions and linear layers that are no layer here -> why; the network's output is among them"""

    def weights_of(self, layer: Layer, model: nn.Module) -> list[Floats]:
        """The weights that make each unit left, without removed ones."""
        (name, axis), places = next(iter(layer.whole.made.items()))
        rows = of_units(model.get_parameter(name).detach().double(), axis, places).cpu().numpy()
        kept = of_units(self.context.masks[name], axis, places).cpu().numpy()
        return [rows[unit][kept[unit]] for unit in self.alive[layer.name].nonzero().flatten().tolist()]

    def scores(self, criterion: Criterion, model: nn.Module) -> dict[str, Tensor]:
        """(units,) by layer in float64, for a model with these layers; a layer the criterion says nothing of lacks."""
        import torch

        weights = {name: model.get_parameter(name) for name in self.context.weights}
        if criterion.relative:
            return criterion.score(replace(self.context, model=model, weights=weights))
        found = criterion.score(replace(self.in_parts, model=model, weights=weights))
        return {
            layer.name: torch.cat([found[part.name] for part in layer.parts])[layer.order.to(found[layer.name].device)]
            for layer in self.every
            if all(part.name in found for part in layer.parts)
        }


def layers_of(subject: Subject, seed: int) -> Layers:
    """The layers of a subject whose outputs are units: channels, neurons or heads that others read.

    The network's output is none. A layer that shares its units with others over a shortcut is one by itself: a
    criterion of weights sees its own alone, one of activations what all of them make. Units whose number stands in the
    network's code are looked at as well.

    Raises:
        BadInput: there are none.
    """
    import torch

    model = subject.model
    network = followed_units(model, subject.x)
    units = [group for group in (*network.groups, *(each for each, _ in network.stuck)) if group.kind != QUERY]
    space = UnitsOf.of(network, units, model, subject.x, "sparsity", 1)
    masks = {name: torch.ones_like(value, dtype=torch.bool) for name, value in space.masked(model).items()}
    masks |= {name: mask for name, mask in subject.masks.items() if name in masks}
    every = _layers(space.groups, model, norms_behind(model, subject.x[:2]))
    joined = replace(space, groups=[layer.whole for layer in every])
    parted = replace(space, groups=[part for layer in every for part in layer.parts])
    context = _context(subject, joined, masks, seed)
    left_out = _left_out(model, {layer.name for layer in every}, network.held)
    return Layers(every, context, replace(context, space=parted), joined.alive(masks), left_out)


def _left_out(model: nn.Module, found: set[str], held: Mapping[str, str]) -> dict[str, str]:
    """Why the other weights are no layers: what holds their module or one that it is in, else their shape."""

    def why(name: str) -> str:
        within = _owner(name)
        while within and within not in held:
            within = _owner(within)
        whole = held.get(type(model).__name__)
        return held.get(within) or whole or "what it makes are not units along one axis, each of as many entries"

    return {name: why(name) for name in prunable(model) if name not in found}


def _context(subject: Subject, space: Any, masks: Mapping[str, Tensor], seed: int) -> Context:
    """What criteria are asked with: the finished network, and the examples that are used."""
    recipe = trained_by(subject.checkpoint)
    return Context(
        model=subject.model,
        weights=space.weights(subject.model),
        masks=masks,
        space=space,
        x=subject.x,
        y=subject.y,
        validation=None,
        losses=(),
        seen=(),
        cuts=0,
        events=0,
        progress=0.0,
        memory={},
        seed=seed,
        batch_size=recipe.batch_size,
        recipe=recipe,
        rate=recipe.lr,
        task=subject.task,
    )


def _layers(groups: Sequence[UnitGroup], model: nn.Module, norms: Mapping[str, str]) -> list[Layer]:
    """Each prunable weight that makes units, in the order in which the network holds them."""
    found = (_layer(name, list(_parts(name, groups, model, norms))) for name in prunable(model))
    return [layer for layer in found if layer is not None]


def _parts(
    name: str, groups: Sequence[UnitGroup], model: nn.Module, norms: Mapping[str, str]
) -> Iterator[tuple[tuple[str, int], UnitGroup]]:
    """What a weight makes of each group, with its bias and the normalisation that is behind it."""
    weights, layer = prunable(model), _owner(name)
    for group in groups:
        makers = {key for key in group.made if key[0] in weights}
        for key in (key for key in makers if key[0] == name):
            others = {_owner(other) for other, _ in makers} - {layer}
            with_it = {_owner(other) for other, _ in group.made} - others
            if others:  # a normalisation may be another layer's
                with_it &= {layer, norms.get(layer, "")}
            own = {other: at for other, at in group.made.items() if _owner(other[0]) in with_it}
            yield key, replace(group, made={key: group.made[key]} | own)


def _layer(name: str, parts: Sequence[tuple[tuple[str, int], UnitGroup]]) -> Layer | None:
    import numpy as np
    import torch

    keys = {key for key, _ in parts}
    if len(keys) != 1:  # makes no units, or has them along two axes
        return None
    (key,) = keys
    rows = [group.made[key] for _, group in parts]
    if len({each.shape[1] for each in rows}) > 1:
        return None
    places = np.concatenate(rows)
    order = places[:, 0].argsort()
    whole = UnitGroup(name, parts[0][1].kind, len(places), {key: places[order]}, {})
    named = [replace(group, name=f"{name}#{number}" if number else name) for number, (_, group) in enumerate(parts)]
    return Layer(whole, named, torch.from_numpy(order))


def _owner(parameter: str) -> str:
    """The name of the module that a parameter belongs to."""
    return parameter.rpartition(".")[0]
