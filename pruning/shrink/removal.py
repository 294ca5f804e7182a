"""Which units a network does not need, found step by step until there are no more; exact for any input.

A unit goes when every weight that reads it is zero, or reads a constant that can be put elsewhere: into the bias, or,
where zeros of padding stand beside it, into the weights of one constant r of its group that stays,
W[:, r] += sum_j (c_j / c_r) W[:, j]. With it go its own weights, so that others may be read by nothing next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.removable import Removable
from minima.zoo.anatomy.unit_groups import UnitGroup
from pruning.shrink.columns import Columns, bias_of, columns_of
from pruning.shrink.constants import Reading

Vanishing = Literal["refuse", "keep-one"]


@dataclass
class Removal:
    """What has been decided of a network's units, and done to its weights."""

    kept: dict[str, NDArray[np.bool_]]
    """(size,) of each group"""
    staying: dict[str, int] = field(default_factory=dict)
    """constant units of each group that stay"""
    wanted: set[str] = field(default_factory=set)
    """modules that need a bias for a constant"""


def remove_units(
    model: nn.Module,
    found: Removable,
    read: Callable[[nn.Module], dict[str, list[Reading]]],
    norms: dict[str, str],
    vanishing: Vanishing = "refuse",
) -> Removal:
    """Decide which units go, and put what they leave behind into the weights of `model` (float64), in place.

    The units that go are zero afterwards, and read by nothing.

    Args:
        found: the units of `model`.
        read: what weights read, in a pass of the network as it is.
        norms: layer -> the batch norm that alone reads what it makes: takes constants where there is no bias.
        vanishing: what becomes of a group all of whose units could go.

    Raises:
        BadInput: a layer would vanish, or a size is written in the code where units would go.
    """
    removal = Removal({group.name: np.ones(group.size, dtype=bool) for group in found.groups})
    tied = {name for names in found.following.names.values() if len(names) > 1 for name in names}
    working = _Working(model, norms, removal, vanishing)
    while True:
        readings = read(model)
        before = sum(int(units.sum()) for units in removal.kept.values())
        for group in found.groups:
            working.shorten(group, columns_of(group, readings, tied))
        if sum(int(units.sum()) for units in removal.kept.values()) == before:
            break
    for group, why in found.stuck:
        if working.free(columns_of(group, readings, tied)).any():
            raise BadInput(
                f"{group.name}: {why}. None of its {group.kind}s can be removed, as its mask asks. Write -1 there, or "
                "make it an attribute of the module for this alone, or leave these units with --stuck keep"
            )
    return removal


@dataclass
class _Working:
    model: nn.Module
    norms: dict[str, str]
    removal: Removal
    vanishing: Vanishing

    def shorten(self, group: UnitGroup, columns: list[Columns]) -> None:
        """Take out of a group what can go now."""
        kept = torch.from_numpy(self.removal.kept[group.name])
        go = self.free(columns) & kept
        chosen = self._heir(columns, go)
        constant = kept & torch.stack([each.constant() | ~each.used(self._weight(each)) for each in columns]).all(0)
        if chosen is not None:
            go[chosen] = False
        go &= ~self._ending(columns, go, chosen)
        go &= self._biased(columns, go)
        go = self._sparing(group, go, kept)
        self.removal.staying[group.name] = int((constant & ~go).sum())
        if go.any():
            self._take(group, columns, go.nonzero()[:, 0], chosen)

    def free(self, columns: list[Columns]) -> Tensor:
        """(units,) whether each weight reads nothing of a unit, or a constant."""
        return torch.stack([each.constant() | ~each.used(self._weight(each)) for each in columns]).all(0)

    def _borders(self, each: Columns) -> Tensor:
        """(units,) whether a constant ends at a border of zeros, and is read."""
        padded = each.reading is not None and each.reading.padded
        return (
            each.used(self._weight(each)) & ~each.zero() if padded else torch.zeros(len(each.places), dtype=torch.bool)
        )

    def _heir(self, columns: list[Columns], go: Tensor) -> int | None:
        """The constant that the others go into where zeros stand beside them: the largest, at all such weights."""
        least = torch.full((len(go),), torch.inf, dtype=torch.float64)
        there = go.clone()
        for each in columns:
            ending = self._borders(each) & go
            if not ending.any():
                continue
            there &= each.constant() & (each.values().abs().amin((1, 2)) > 0)
            least = torch.minimum(least, each.values().abs().amin((1, 2)))
        candidates = there & least.isfinite()
        return int(torch.where(candidates, least, -1.0).argmax()) if bool(candidates.any()) else None

    def _ending(self, columns: list[Columns], go: Tensor, heir: int | None) -> Tensor:
        """(units,) whether a constant would have to go into the heir's weights and cannot."""
        stays = torch.zeros_like(go)
        for each in columns:
            if heir is None or not each.mergeable():
                stays |= self._borders(each)
        return stays

    def _biased(self, columns: list[Columns], go: Tensor) -> Tensor:
        """(units,) whether there is a bias for what a unit leaves behind; where one is wanted, that is noted."""
        fine = torch.ones_like(go)
        for each in columns:
            leaves = go & each.used(self._weight(each)) & ~each.zero() & ~self._borders(each)
            if leaves.any() and self._sink(each) is None:
                module = self.model.get_submodule(each.name.rpartition(".")[0])
                if isinstance(module, nn.Linear | nn.modules.conv._ConvNd) and module.bias is None:
                    self.removal.wanted.add(each.name.rpartition(".")[0])
                fine &= ~leaves
        return fine

    def _sparing(self, group: UnitGroup, go: Tensor, kept: Tensor) -> Tensor:
        """As they were, but for one where none would be left."""
        if not bool((go == kept).all()):
            return go
        if self.vanishing == "refuse":
            raise BadInput(
                f"{group.name}: all of its {group.size} {group.kind}s can be removed, so that nothing of the input "
                "passes it: the layer would vanish.\nType --vanishing keep-one to keep one of them, or prune less of it"
            )
        spared = go.clone()
        spared[int(go.nonzero()[0, 0])] = False
        return spared

    def _take(self, group: UnitGroup, columns: list[Columns], units: Tensor, heir: int | None) -> None:
        with torch.no_grad():
            for each in columns:
                weight = self._weight(each)
                ending = self._borders(each)[units]
                if ending.any() and heir is not None:
                    each.merge(weight, units[ending], heir)
                rest = units[~ending]
                if len(rest) and each.reading is not None and bool((each.used(weight) & ~each.zero())[rest].any()):
                    self._add(each, each.shift(weight, rest))
                each.clear(weight, units)
            parameters = dict(self.model.named_parameters())
            for (name, axis), places in group.made.items():
                if name in parameters:
                    parameters[name].movedim(axis, 0)[torch.from_numpy(places)[units].flatten()] = 0
        self.removal.kept[group.name][units.numpy()] = False

    def _add(self, each: Columns, shift: Tensor) -> None:
        sink = self._sink(each)
        assert sink is not None
        target, sign = sink
        target += sign * shift

    def _sink(self, each: Columns) -> tuple[Tensor, int] | None:
        """What a constant is added to: a bias, or (taken from it) the mean of the norm behind the layer."""
        bias = bias_of(self.model, each.name)
        own = each.reading is not None and each.reading.bias == f"{each.name.rpartition('.')[0]}.bias".lstrip(".")
        if bias is not None and own:
            return bias, 1
        norm = self.norms.get(each.name.rpartition(".")[0])
        mean = None if norm is None else self.model.get_submodule(norm)._buffers.get("running_mean")
        return None if mean is None else (mean, -1)

    def _weight(self, each: Columns) -> Tensor:
        return self.model.get_parameter(each.name).detach()
