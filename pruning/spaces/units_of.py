"""The units of one network, and how masks of tensors and choices among units go over into each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Self

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.store.messages import brief
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.removable import Removable, removable
from minima.zoo.anatomy.unit_groups import QUERY, UnitGroup
from minima.zoo.examples.inputs import DoesNotRun
from pruning.context.candidates import Heads, Scored
from pruning.context.counts import MEASURES, alive_count, alive_counts, kept_at_most
from pruning.context.unit_weights import filters
from pruning.spaces.clock import Clock
from pruning.spaces.heads import alone, chosen

Tensors = dict[str, Tensor]
Masks = Mapping[str, Tensor]

HIGHEST = torch.finfo(torch.float64).max
"""what units score that a criterion says nothing of: they stay"""


@dataclass(frozen=True, eq=False)
class UnitsOf:
    """The units of one network that compete; masks are the whole state: a unit is left as long as any of its entries
    is.

    Counted are the weights of convolutions and linear layers, and other tensors of two axes or more that units have
    entries in (the projections of torch's attention, say). Biases and normalisations go with their unit, uncounted.
    """

    network: Removable
    groups: Sequence[UnitGroup]
    """with places in parameters alone, and in each once"""
    counted: Sequence[str]
    uncounted: Sequence[str]
    measure: str
    floor: int
    clock: Clock

    @classmethod
    def found(cls, model: nn.Module, x: Any, measure: str, floor: int, heads: Heads = "groups") -> Self:
        """The units of a network that takes inputs x (N, ...).

        Raises:
            BadInput: none can be removed, the network does not run on one example or two, or it has no grouped queries
                and they are asked for.
        """
        network = followed_units(model, x)
        return cls.of(network, chosen(network, heads), model, x, measure, floor)

    @classmethod
    def of(
        cls, network: Removable, units: Sequence[UnitGroup], model: nn.Module, x: Any, measure: str, floor: int
    ) -> Self:
        """A choice of the units that were found in a network.

        Raises:
            BadInput: there are none.
        """
        if not units:
            held = "; ".join(f"{name or 'the network'}: {why}" for name, why in list(network.held.items())[:4])
            advice = "\nInstead of a size in the code write -1, or an attribute of the module that is for this alone"
            raise BadInput(
                f"no unit of this network can be removed. Its layers are held:\n{held}{advice if network.stuck else ''}"
            )
        shapes = {name: parameter.ndim for name, parameter in model.named_parameters()}
        groups = [_in(group, shapes) for group in units]
        covered = dict.fromkeys(name for group in groups for name, _ in group.places)
        counted = dict.fromkeys([*prunable(model), *(name for name in covered if shapes[name] > 1)])
        others = [name for name in covered if name not in counted]
        return cls(network, groups, list(counted), others, measure, floor, Clock(network, x))

    def remarks(self) -> list[str]:
        """What a user should know: layers whose units cannot be removed, other than the output's."""
        asked = any(group.kind == QUERY for group in self.groups)
        others = {group.name for group, _ in self.network.stuck if group.kind == QUERY and not asked}
        held = {name: why for name, why in self.network.held.items() if why != "the network's output"}
        held = {name: why for name, why in held.items() if name not in others}
        shown = [f"{name or 'the network'} ({why})" for name, why in held.items()]
        more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
        said = [f"the units of these layers stay: {'; '.join(shown[:4])}{more}"] if shown else []
        return [*said, *alone(self.network, self.groups), *self.network.cost().remarks]

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over."""
        return {name: model.get_parameter(name) for name in self.counted}

    def masked(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """Those, and the biases and normalisations of units."""
        return {name: model.get_parameter(name) for name in (*self.counted, *self.uncounted)}

    def pool(self, scores: Tensors, of: Scored, masks: Masks) -> Tensors:
        """(size,) by group: scores of units as they are; of weights, their sum over the weights that make a unit."""
        if of == "weights":
            return {group.name: filters(scores, group).sum(1) for group in self.groups}
        alive = self.units(masks)
        stays = {name: torch.full_like(units, HIGHEST, dtype=torch.float64) for name, units in alive.items()}
        return {name: scores.get(name, other) for name, other in stays.items()}

    def units(self, masks: Masks) -> Tensors:
        """(size,) bool by group: which units are left."""
        return {group.name: _left(group, masks) for group in self.groups}

    def alive(self, masks: Masks) -> Tensors:
        """What competes: the units that are left."""
        return self.units(masks)

    def least(self, alive: Tensors, pooled: Tensors) -> dict[str, int]:
        return {
            name: count if bool((pooled[name] == HIGHEST).all()) else min(self.floor, count)
            for name, count in alive_counts(alive).items()
        }

    def spread(self, kept: Tensors, masks: Masks) -> Tensors:
        """All entries of the units that are not kept go."""
        found = {name: mask.clone() for name, mask in masks.items()}
        for group in self.groups:
            gone = ~kept[group.name]
            for (name, axis), places in group.places.items():
                entries = torch.as_tensor(places, device=gone.device)[gone].flatten()
                found[name].index_fill_(axis, entries.to(found[name].device), False)
        return found

    @property
    def timings(self) -> dict[str, float]:
        return self.clock.timings

    def left(self, masks: Masks) -> int:
        return self._measured(self.measure, masks)

    def target(self, total: int, level: float) -> int:
        return kept_at_most(total, level)

    def shares(self, masks: Masks) -> dict[str, float]:
        return {
            measure: 1 - self._measured(measure, masks) / self._measured(measure, _whole(masks))
            for measure in MEASURES
            if measure != "sparsity" and (measure != "latency" or self.measure == "latency")
        }

    def walk(self, masks: Masks, final: float) -> list[float]:
        """Group after group loses the smallest common part, rounded up to whole units, with which all together reach
        the final level."""
        alive, total = self.units(masks), self.left(_whole(masks))
        few, most = 0.0, 1.0
        while most - few > 1e-6:
            part = (few + most) / 2
            left = self.left(self.spread(self._without(alive, part, len(alive)), masks))
            few, most = (few, part) if left <= self.target(total, final) else (part, most)
        way = [self.spread(self._without(alive, most, turns), masks) for turns in range(1, len(alive))]
        return [*(1 - self.left(left) / total for left in way), final]

    def _without(self, alive: Tensors, part: float, turns: int) -> Tensors:
        """The units but for this part of each of the first groups."""
        counts = alive_counts(alive)
        stay = {name: max(count - ceil(part * count - 1e-6), min(count, self.floor)) for name, count in counts.items()}
        names = list(alive)[:turns]
        return {
            name: units & (units.cumsum(0) <= stay[name]) if name in names else units for name, units in alive.items()
        }

    def saved(self, masks: Masks) -> dict[str, int]:
        """Multiply-adds that go with one more unit of each group."""
        kept = alive_counts(self.units(masks))
        whole = self.network.cost(kept).multiply_adds
        return {
            name: whole - self.network.cost(kept | {name: max(0, count - 1)}).multiply_adds
            for name, count in kept.items()
        }

    def check(self, masks: Masks, target: int) -> None:
        alive = self.units(masks)
        fewest = {name: units & (units.cumsum(0) <= self.floor) for name, units in alive.items()}
        if self.left(least := self.spread(fewest, masks)) > target:
            most, counted = self._most(least), MEASURES[self.measure]
            if most == "0":
                raise BadInput(
                    f"--{self.measure}: none of the {counted} can go: with every layer at its fewest units the network "
                    "needs no less of it.\nTake another measure, such as --flops"
                )
            raise BadInput(
                f"--{self.measure}: at most {most} of the {counted} can go, since every "
                f"layer keeps {self.floor} unit and these are held whole: {', '.join(self.network.held)}.\n"
                f"Ask for less, or let whole layers go where a shortcut leads past them: --least 0"
            )

    def fitting(self, target: int, alive: Tensors, cut: Callable[[int], Tensors]) -> int:
        """By bisection: what is left falls with the number of units kept."""
        fits, beyond = 0, alive_count(alive) + 1
        if self.left(least := cut(fits)) > target:
            self.check(least, target)
            before, after = alive_counts(alive), alive_counts(self.alive(least))
            whole = [group.name for group in self.groups if after[group.name] == before[group.name]]
            raise BadInput(
                f"--{self.measure}: this cut cannot remove more than {self._most(least)}, since it takes no unit of "
                f"{', '.join(whole[:6])}.\nAsk for that or less, or take another criterion"
            )
        while beyond - fits > 1:
            middle = (fits + beyond) // 2
            fits, beyond = (middle, beyond) if self.left(cut(middle)) <= target else (fits, middle)
        return fits

    def _most(self, masks: Masks) -> str:
        """The share that is removed, as something that can be typed and is not beyond it."""
        share = 1 - self.left(masks) / self.left(_whole(masks))
        return f"{max(0, int(share * 1e4)) / 1e4:.4g}"  # a time may have risen

    def _measured(self, measure: str, masks: Masks) -> int:
        if measure == "sparsity":
            return alive_count({name: masks[name] for name in self.counted})
        kept = alive_counts(self.units(masks))
        if measure == "units":
            return sum(kept.values())
        if measure == "latency":
            return self.clock.left(kept)
        cost = self.network.cost(kept)
        return cost.multiply_adds if measure == "flops" else cost.parameters


def followed_units(model: nn.Module, x: Any) -> Removable:
    """What can be removed, seen in a pass over the first example, or the first two where it takes no less: a batch norm
    without running statistics normalises examples with each other.

    Raises:
        BadInput: the network does not run on so few.
    """
    failure: BaseException | None = None
    for few in (1, 2):
        try:
            return removable(model, x[:few])
        except DoesNotRun as error:
            failure = failure or error.__cause__
    assert failure is not None
    raise BadInput(
        "the network does not run on the one or two examples that its units are followed with: "
        f"{type(failure).__name__}: {brief(failure)}.\nLet it take any number of examples, or remove single weights, "
        "for example with magnitude"
    ) from failure


def _in(group: UnitGroup, parameters: Mapping[str, int]) -> UnitGroup:
    """The group with its places in these parameters alone."""
    made, read = (
        {key: places for key, places in side.items() if key[0] in parameters} for side in (group.made, group.read)
    )
    return replace(group, made=made, read=read)


def _left(group: UnitGroup, masks: Masks) -> Tensor:
    """(size,) whether any entry of a unit is left."""
    found: Tensor | None = None
    for (name, axis), places in group.places.items():
        along = masks[name].movedim(axis, 0).reshape(masks[name].shape[axis], -1).any(1)
        own = along[torch.as_tensor(places, device=along.device)].any(1)
        found = own if found is None else found | own
    assert found is not None
    return found


def _whole(masks: Masks) -> Tensors:
    return {name: torch.ones_like(mask) for name, mask in masks.items()}
