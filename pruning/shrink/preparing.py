"""What is done to a network before units are removed: static ones emptied, idle rectifiers put out, layers merged."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from minima.zoo.anatomy.narrowing.manifest import Manifest
from minima.zoo.anatomy.narrowing.narrow import narrow
from minima.zoo.anatomy.removable import removable
from minima.zoo.anatomy.unit_groups import UnitGroup
from minima.zoo.examples.inputs import Inputs
from pruning.shrink.batch_norm import fold, pairs
from pruning.shrink.checking import is_same
from pruning.shrink.columns import columns_of
from pruning.shrink.given import in_float64
from pruning.shrink.merging import Merge, merge_layers, neighbours
from pruning.shrink.static.dependent import take_in
from pruning.shrink.static.examples import Static
from pruning.shrink.whole import Whole

Look = Callable[[nn.Module], Static]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network that is ready for its units to be removed."""

    reference: nn.Module
    """in float64: the wide network with static units emptied and idle rectifiers put out; what is to be computed"""
    model: nn.Module
    """the same function, with fewer layers"""
    manifest: Manifest
    """what makes the module of the wide network one of this kind"""
    static: Mapping[str, int]
    """layer -> units that were found to be 0 and are emptied"""
    dependent: Mapping[str, int] = field(default_factory=dict)
    """layer -> units that are always on and combinations of others, which took their place"""
    idle: tuple[str, ...] = ()
    """rectifiers that were found to change nothing"""
    calls: tuple[str, ...] = ()
    """others that are calls in a module's code, and stay"""
    sought: bool = False
    """whether static units were looked for"""
    apart: Mapping[str, str] | None = None
    """layers that could be merged with the one before and are not -> why"""


def prepare(model: nn.Module, examples: Inputs, fold_norms: bool, merge: Merge, look: Look | None) -> Prepared | None:
    """Prepare a network; None where there is nothing of the kind to do.

    Args:
        examples: (N, ...) in float64.
        look: finds what is static; None: nothing is sought.
    """
    reference, x = in_float64(model), examples[:1]
    static: dict[str, int] = {}
    dependent: dict[str, int] = {}
    idle: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    if look is not None:
        static = empty_static(reference, x, look)
        seen = look(reference)
        idle, calls = seen.idle, seen.calls
        narrow(reference, Manifest(identities=idle))
        dependent = take_in(reference, x, look(reference), lambda one, other: is_same(one, other, examples))
    work = copy.deepcopy(reference)
    with Whole():
        behind = pairs(work, x) if fold_norms else []
        biases = fold(work, behind) if fold_norms else []
        if look is None and not (merge != "none" and neighbours(work, x)):
            return None
        merged, apart = merge_layers(work, x, merge)
    norms = tuple(pair.norm for pair in behind)
    manifest = Manifest(identities=(*idle, *norms), biases=tuple(biases), merged=tuple(merged))
    return Prepared(reference, work, manifest, static, dependent, idle, calls, look is not None, apart)


def combined(first: Manifest, then: Manifest) -> Manifest:
    """One manifest that does what two do in turn; the second puts out and merges nothing."""
    return replace(
        then,
        identities=first.identities,
        merged=first.merged,
        biases=(*first.biases, *(name for name in then.biases if name not in first.biases)),
    )


def empty_static(model: nn.Module, x: Inputs, look: Look) -> dict[str, int]:
    """Make all that makes units that are static 0 zero, in place, so that no input makes them anything else.

    Units that would not be 0 then (behind a function whose value at 0 is another) stay as they are.

    Returns:
        how many units of each layer were emptied.
    """
    with Whole():
        found = removable(model, x)
    tied = {name for names in found.following.names.values() if len(names) > 1 for name in names}
    first = look(model)
    dead = {group.name: _zero(group, first, tied) for group in found.groups}
    dead = {name: units for name, units in dead.items() if units.any()}
    groups = [group for group in found.groups if group.name in dead]
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    for group in groups:
        _empty(model, group, dead[group.name])
    seen = look(model) if groups else None
    lost = [group for group in groups if seen and bool((dead[group.name] & ~_zero(group, seen, tied)).any())]
    if lost:  # begin again without them
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(before[name])
        groups = [group for group in groups if group not in lost]
        for group in groups:
            _empty(model, group, dead[group.name])
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    return {
        group.name: int((dead[group.name] & _changed(before, group)).sum())
        for group in groups
        if any(name in changed for name, _ in group.made)
    }


def _zero(group: UnitGroup, static: Static, tied: set[str]) -> Tensor:
    """(units,) whether all that reads a unit reads nothing but zeros of it."""
    return torch.stack([each.constant() for each in columns_of(group, dict(static.zeros), tied)]).all(0)


def _empty(model: nn.Module, group: UnitGroup, units: Tensor) -> None:
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for (name, axis), places in group.made.items():
            if name in parameters:
                parameters[name].movedim(axis, 0)[torch.from_numpy(places)[units].flatten()] = 0


def _changed(before: Mapping[str, Tensor], group: UnitGroup) -> Tensor:
    """(units,) whether there was anything to empty."""
    found = torch.zeros(group.size, dtype=torch.bool)
    for (name, axis), places in group.made.items():
        if name in before:
            entries = before[name].movedim(axis, 0).flatten(1) if before[name].ndim > 1 else before[name][:, None]
            found |= entries.ne(0).any(1)[torch.from_numpy(places)].any(1)
    return found
