"""What a network's tensors and operations cost, by the units that they depend on."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from math import prod

from torch import nn

from minima.zoo.anatomy.costs.of_units import Axis, Costs, Sized
from minima.zoo.anatomy.following import Following
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.unit_groups import UnitGroup

Classed = tuple[UnitGroup, list[frozenset[int]]]
"""a group with the classes of its units"""


def costs_of(following: Following, model: nn.Module, groups: list[Classed]) -> Costs:
    """The cost of `model` as a function of the units kept."""
    weights = {id(weight) for weight in prunable(model).values()}
    parameters = {id(parameter) for parameter in model.parameters()}
    positions: dict[int, Fraction | int] = defaultdict(int)
    for key, times in following.demands.uses:
        positions[key] += times
    axes: dict[str, dict[int, tuple[Axis, ...]]] = {}
    by_name = {group.name: group for group, _ in groups}
    for group, _ in groups:
        crossed = by_name.get(group.crosses)
        for (name, axis), places in group.places.items():
            own = axes.setdefault(name, {})
            common = places.shape[1] // crossed.size if crossed else 0
            own[axis] = (*own.get(axis, ()), Axis(group.name, places.shape[1], group.crosses, common))
    tensors = tuple(
        Sized(
            tuple(tensor.shape),
            axes.get(following.names[id(tensor)][0], {}),
            tensor.element_size(),
            id(tensor) in parameters,
            id(tensor) in weights,
            positions[id(tensor)],
        )
        for tensor in (*model.parameters(), *model.buffers())
    )
    products, constant = _products(following, groups)
    constant += sum(following.demands.constants)
    uncounted = tuple(following.demands.uncounted)
    return Costs({group.name: group.size for group, _ in groups}, tensors, products, constant, uncounted)


def _products(following: Following, groups: list[Classed]) -> tuple[dict[tuple[str, ...], int], int]:
    """Multiply-adds of products of activations, for each unit of a group or each that two have in common; and those of
    no group."""
    owners: dict[int, tuple[str, ...]] = {}
    for group, units in groups:
        for each in frozenset[int]().union(*units):
            owners[each] = (*owners.get(each, ()), group.name)
    sizes = {group.name: group.size for group, _ in groups}
    total: Counter[tuple[str, ...]] = Counter()
    constant = 0
    for numbers, cost in following.demands.products:
        for unit in following.classes.of(numbers).flatten().tolist():
            if unit in owners:
                total[owners[unit]] += cost
            else:
                constant += cost
    return {names: cost // prod(sizes[name] for name in names) for names, cost in total.items()}, constant
