"""Finding the units of a network that can be removed, each with all that holds it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.costs.listing import Classed, costs_of
from minima.zoo.anatomy.costs.of_units import Cost, Costs, Kept
from minima.zoo.anatomy.following import Following, followed
from minima.zoo.anatomy.narrowing.attention import NarrowAttention
from minima.zoo.anatomy.narrowing.manifest import Manifest
from minima.zoo.anatomy.narrowing.sizes import Stuck, manifest_of
from minima.zoo.anatomy.union_find import UNKNOWN
from minima.zoo.anatomy.unit_groups import QUERY, UnitGroup, unit_groups
from minima.zoo.examples.inputs import Inputs

SPLITTING = frozenset({"chunk", "split", "tensor_split"})


@dataclass(frozen=True, eq=False)
class Removable:
    """What of a network can be removed, and what cannot."""

    groups: list[UnitGroup]
    """in forward order"""
    held: dict[str, str]
    """module -> why its units cannot be removed"""
    stuck: list[tuple[UnitGroup, str]]
    """groups whose size is written in the network's code, and where; their modules are held"""
    costs: Costs = field(repr=False)
    model: nn.Module = field(repr=False)
    """a copy of the network, that can be made narrower"""
    x: Inputs = field(repr=False)
    """(1, ...) what the units were followed with"""
    following: Following = field(repr=False)
    classes: Mapping[str, list[frozenset[int]]] = field(repr=False)
    """of each unit of each group: its classes in `following`"""

    def group(self, name: str) -> UnitGroup:
        """The group of units that has this name."""
        return next(group for group in self.groups if group.name == name)

    def cost(self, kept: Kept | None = None) -> Cost:
        """What the network costs when only these units are kept; groups left out keep all.

        >>> import torch
        >>> found = removable(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 3))
        >>> found.cost().parameters, found.cost({"0": np.array([True, True, False, False])}).parameters
        (26, 14)
        """
        return self.costs.of(kept or {})

    def manifest(self, kept: Mapping[str, NDArray[np.bool_]]) -> Manifest:
        """What makes the network narrower when only these units, (size,) of each group, are kept.

        Raises:
            BadInput: no unit of a group is kept, or a size stands in the code.
        """
        for name, units in kept.items():
            if not units.any():
                raise BadInput(f"{name}: none of its {len(units)} {self.group(name).kind}s is kept, and one must be")
        removed = frozenset[int]().union(
            *(
                unit
                for name, units in kept.items()
                for unit, stays in zip(self.classes[name], units, strict=True)
                if not stays
            )
        )
        found = manifest_of(self.model, self.x, self.following, removed)
        if isinstance(found, Stuck):
            raise BadInput(
                f"{found.why}. No unit that meets it can be removed: take it from an attribute of the module"
            )
        return found


def removable(model: nn.Module, x: Inputs) -> Removable:
    """The units of `model` that can be removed, found in a forward pass over x (1, ...), in eval mode.

    Units that are normalised with each other (layer norm) or that the network returns cannot, nor can those that met an
    operation that is not understood, or whose number stands in the network's code: `held` says so by module.

    >>> import torch
    >>> found = removable(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 3))
    >>> [(group.name, group.kind, group.size, list(group.made), list(group.read)) for group in found.groups]
    [('0', 'neuron', 4, [('0.weight', 0), ('0.bias', 0)], [('2.weight', 1)])]
    >>> found.held
    {'2': "the network's output"}
    """
    model = copy.deepcopy(model)
    for name, module in model.named_modules():
        if type(module) is nn.MultiheadAttention and module.bias_k is None and not module.add_zero_attn:
            NarrowAttention.take_over(module, name)
    following = followed(model, x, whole=True)
    groups = unit_groups(following, model)
    free, stuck = _tried(model, x, following, groups)
    held = _held(following, model, {each for _, units in groups for unit in units for each in unit})
    held |= {group.name: why for group, why in stuck}
    return Removable(
        [group for group, _ in free],
        held,
        stuck,
        costs_of(following, model, free),
        model,
        x,
        following,
        {group.name: units for group, units in groups},
    )


def _tried(
    model: nn.Module, x: Inputs, following: Following, groups: list[Classed]
) -> tuple[list[Classed], list[tuple[UnitGroup, str]]]:
    """The groups that can do without a unit each, and the others with what prevents it."""
    free, stuck = list(groups), []
    crossing = [each for each in free if each[0].kind == QUERY]
    plain = [each for each in free if each not in crossing]
    waiting = [plain, *([each] for each in (*_split(following, free), *crossing)), *([free] if crossing else [])]
    while waiting:
        trial = [each for each in waiting.pop(0) if each in free]
        most = len(trial) == 1  # by itself: all of its units but one, else one of each
        gone = [unit for _, units in trial for unit in (units[:-1] if most else units[:1])]
        removed = frozenset[int]().union(*gone)
        found = manifest_of(model, x, following, removed) if trial else None
        if isinstance(found, Stuck):
            met = [each for each in trial if each[1][0] & found.units] or trial
            met = [each for each in met if each in crossing] or met
            stuck += [(group, found.why) for group, _ in met]
            free = [each for each in free if each not in met]
            waiting = [[each for each in plain if each in free], *waiting]
    return free, stuck


def _split(following: Following, groups: list[Classed]) -> list[Classed]:
    """Groups that lie side by side in what is split: one may have to keep as many units as the other."""
    found: list[Classed] = []
    for step in following.steps:
        if step.name in SPLITTING:
            classes = {int(unit) for own in step.numbers for unit in following.classes.of(own).unique()}
            there = [each for each in groups if each[1][0] & classes]
            found += [each for each in there if len(there) > 1 and each not in found]
    return found


def _held(following: Following, model: nn.Module, free: set[int]) -> dict[str, str]:
    """Why weights make entries that are no removable units, by module."""
    applied = {key for key, _ in following.demands.uses}
    held: dict[str, str] = {}
    for name, parameter in model.named_parameters():
        key = id(parameter)
        axis = next((axis for axis in range(parameter.ndim) if (key, axis) not in following.demands.reads), 0)
        numbers = following.axes[key][axis] if parameter.ndim > 1 else following.axes[key][0][:0]
        classes = following.classes.of(numbers)
        others = numbers[[unit not in free for unit in classes.tolist()]]
        if len(others) and (key in applied or bool((classes == UNKNOWN).any())):
            held.setdefault(name.rpartition(".")[0] or type(model).__name__, _reason(following, others))
    return held


def _reason(following: Following, numbers: Tensor) -> str:
    found = following.classes.why(numbers)
    if found:
        return "; ".join(found[:2])
    classes = set(following.classes.of(numbers).tolist())
    for demand in following.demands.together:
        if classes & set(following.classes.of(demand.numbers).unique().tolist()):
            return f"normalised together by {demand.why}"
    return "a single unit, or read by nothing"
