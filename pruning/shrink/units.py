"""The network without the units that it does not need."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.narrowing.manifest import Manifest
from minima.zoo.anatomy.narrowing.narrow import add_bias, narrow, sizes_of
from minima.zoo.anatomy.removable import Removable, removable
from minima.zoo.examples.inputs import Inputs, floats_to
from pruning.shrink.batch_norm import fold, pairs
from pruning.shrink.checking import differences
from pruning.shrink.constants import agreed
from pruning.shrink.given import in_float64
from pruning.shrink.merging import cost_of
from pruning.shrink.removal import Removal, Vanishing, remove_units
from pruning.shrink.shrunk import Shrunk
from pruning.shrink.sights import batch_of, other_sizes, runs
from pruning.shrink.training import check_training, unused
from pruning.shrink.whole import Whole

Stuck = Literal["refuse", "keep"]
SEVERAL = (2, 3)
"""examples for which, and inputs of other sizes, a constant must be the same"""


def without_units(
    model: nn.Module,
    x: Inputs,
    masks: dict[str, Tensor],
    fold_batch_norm: bool,
    vanishing: Vanishing,
    stuck: Stuck,
    some: bool = True,
) -> Shrunk:
    """The network without the units that it does not need.

    Args:
        some: refuse a network none of whose units can be followed.
    """

    found, work, manifest, removal = _decided(model, x, fold_batch_norm, vanishing, stuck, some)
    exact = copy.deepcopy(work)
    narrow(exact, replace(manifest, identities=(), biases=()))
    small = copy.deepcopy(model).eval()
    narrow(small, manifest)
    own = small.state_dict()
    for name, value in exact.state_dict().items():
        own[name] = value.to(own[name].dtype) if torch.is_tensor(value) else own[name]
    small.load_state_dict(own)
    skipped, before = unused(found), cost_of(model, x)
    if manifest.changes:
        check_training(model, small, x, skipped)
    return Shrunk(
        model=small,
        masks=_narrowed(masks, manifest, small),
        manifest=manifest,
        units={group.name: (group.size, int(removal.kept[group.name].sum())) for group in found.groups},
        staying={name: count for name, count in removal.staying.items() if count},
        held=found.held,
        before=before,
        after=cost_of(small, x),
        max_difference=differences(model, small, exact, x, own_attributes(model, manifest)),
        notes=tuple([f"not used in eval mode, and not followed: {', '.join(skipped[:6])}"] * bool(skipped))
        + before.remarks,
    )


def _decided(
    model: nn.Module, x: Inputs, fold_batch_norm: bool, vanishing: Vanishing, stuck: Stuck, some: bool
) -> tuple[Removable, nn.Module, Manifest, Removal]:
    """What there is to remove, the wide network in float64 with that removed, what makes it narrow, what was decided.

    Begun anew with a bias where one is missing for a constant.
    """

    one = floats_to(x[:1], torch.float64)
    wanted: set[str] = set()
    work = in_float64(model)
    several = [batch_of(floats_to(x[: max(SEVERAL)], torch.float64), count) for count in SEVERAL]
    several = [each for each in several if runs(work, each)] or [one]
    sights = [*several, *(sight.x for sight in other_sizes(work, several[0]))]
    while True:
        work = in_float64(model)
        with Whole():
            behind = pairs(work, one)
        biases = fold(work, behind) if fold_batch_norm else []
        for name in sorted(wanted):
            add_bias(work.get_submodule(name), name)
        with Whole():
            found = removable(work, one)
        if some:
            _check_followed(found)
        found = found if stuck == "refuse" else replace(found, stuck=[])
        norms = {} if fold_batch_norm else {pair.layer: pair.norm for pair in behind}
        removal = remove_units(work, found, lambda wide: agreed(wide, sights), norms, vanishing)
        if removal.wanted <= wanted:
            break
        wanted |= removal.wanted
    with Whole():
        manifest = found.manifest(removal.kept)
    identities = tuple(pair.norm for pair in behind) if fold_batch_norm else ()
    return found, work, replace(manifest, identities=identities, biases=(*biases, *sorted(wanted))), removal


def own_attributes(model: nn.Module, manifest: Manifest) -> dict[str, int]:
    """Attributes that hold a width by the network's own code, not by that of torch's layers, and the largest size."""

    return {
        f"{name or type(model).__name__}.{key}": _largest(getattr(model.get_submodule(name), key))
        for name, own in manifest.attributes.items()
        for key in own
        if key not in sizes_of(model.get_submodule(name))
    }


def _largest(size: int | Sequence[int]) -> int:
    return size if isinstance(size, int) else max(size, default=0)


def _check_followed(found: Removable) -> None:
    """Raise a BadInput where no unit at all can be removed."""
    if not found.groups and not found.stuck:
        reasons = "\n".join(f"{name}: {why}" for name, why in list(found.held.items())[:3])
        raise BadInput(
            f"no unit of the network can be removed.\n{reasons or 'It has no layer whose units another reads'}"
        )


def _narrowed(masks: dict[str, Tensor], manifest: Manifest, small: nn.Module) -> dict[str, Tensor]:
    """The masks of what is left; a weight that took in a constant is kept. Masks that keep all are none.

    Norms that were folded are not there any more, and have none.
    """
    weights = dict(small.named_parameters())
    found = {}
    for name, mask in masks.items():
        if name not in weights:
            continue
        left = mask.cpu()
        for axis, places in manifest.tensors.get(name, {}).items():
            left = left.index_select(axis, torch.from_numpy(np.array(places)))
        left = left | (weights[name].detach() != 0)
        if not bool(left.all()):
            found[name] = left
    return found
