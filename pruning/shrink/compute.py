"""A masked network made physically smaller, computing the same."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from minima.store.command import BadInput
from minima.zoo.anatomy.cost import Cost
from minima.zoo.examples.inputs import Inputs, as_inputs, floats_to

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.narrowing.manifest import Manifest
    from minima.zoo.anatomy.removable import Removable
    from pruning.shrink.removal import Removal, Vanishing

Stuck = Literal["refuse", "keep"]
SEVERAL = (2, 3)
"""examples for which, and inputs of other sizes, a constant must be the same"""


@dataclass(frozen=True, eq=False)
class Shrunk:
    """A smaller network that computes the same."""

    model: nn.Module
    """in eval mode, in the dtypes of the one that it was made of"""
    masks: dict[str, Tensor]
    """bool, True = kept, of the weights that still have removed ones"""
    manifest: Manifest
    """what makes the wide network's module narrow: with it, the state dict is all that has to be kept"""
    units: dict[str, tuple[int, int]]
    """layer -> its units before and after"""
    staying: dict[str, int]
    """layer -> constant units that stay, since what reads them cannot do without"""
    held: dict[str, str]
    """module -> why its units cannot be removed"""
    before: Cost
    after: Cost
    max_difference: dict[str, float]
    """largest difference of an output, in float64 and float32"""
    notes: tuple[str, ...] = ()
    """what else is to be known"""

    @property
    def removed(self) -> dict[str, int]:
        """Layer -> how many of its units are gone."""
        return {name: wide - narrow for name, (wide, narrow) in self.units.items() if narrow < wide}


def shrink_network(
    model: nn.Module,
    x: Inputs,
    masks: Mapping[str, Tensor] | None = None,
    *,
    fold_batch_norm: bool = False,
    vanishing: Vanishing = "refuse",
    stuck: Stuck = "refuse",
) -> Shrunk:
    """The network without the units that it does not need, exactly: any input gives the same outputs.

    Units without inputs are constants, which go into the bias of what reads them, or, where zeros of padding stand
    beside them, into the weights of one constant of their layer that stays; units that nobody reads go; to a fixed
    point. It is checked on the CPU, on real and random inputs, that entries of outputs differ by 1e-10 in float64 and
    1e-5 in float32 at most, times max(1, |entry|, the median of their tensor); and in float64 for more examples, and
    for larger images or longer sequences where the network takes them. What depends on their size is no constant.

    Args:
        model: any module on the CPU, its removed weights being zero; it stays as it is.
        x: (N, ...) inputs; a tuple or dict of tensors for several.
        masks: bool, True = kept, by parameter name: made narrower too.
        fold_batch_norm: put batch norms that follow a layer into it.
        vanishing: "refuse", or "keep-one" of a layer all of whose units could go.
        stuck: what becomes of units whose number is written in the network's code: "refuse" or "keep".

    Raises:
        BadInput: no unit can be followed, a layer would vanish, a size is written in the code, outputs differ; the
            network does not run, or takes values of activations out of torch.
    """
    import torch

    from minima.zoo.anatomy.narrowing.narrow import narrow
    from pruning.shrink.checking import differences
    from pruning.shrink.given import check_choice, check_inputs, check_masks
    from pruning.shrink.removal import Vanishing
    from pruning.shrink.training import check_training, unused

    x, masks = as_inputs(x), dict(masks or {})
    check_inputs(x)
    check_masks(model, masks)
    check_choice("vanishing", vanishing, Vanishing)
    check_choice("stuck", stuck, Stuck)
    found, work, manifest, removal = _decided(model, x, fold_batch_norm, vanishing, stuck)
    exact = copy.deepcopy(work)
    narrow(exact, replace(manifest, identities=(), biases=()))
    small = copy.deepcopy(model).eval()
    narrow(small, manifest)
    own = small.state_dict()
    for name, value in exact.state_dict().items():
        own[name] = value.to(own[name].dtype) if torch.is_tensor(value) else own[name]
    small.load_state_dict(own)
    skipped = unused(found)
    if manifest.changes:
        check_training(model, small, x, skipped)
    return Shrunk(
        model=small,
        masks=_narrowed(masks, manifest, small),
        manifest=manifest,
        units={group.name: (group.size, int(removal.kept[group.name].sum())) for group in found.groups},
        staying={name: count for name, count in removal.staying.items() if count},
        held=found.held,
        before=cost_of(model, x),
        after=cost_of(small, x),
        max_difference=differences(model, small, exact, x, _own_attributes(model, manifest)),
        notes=(f"not used in eval mode, and not followed: {', '.join(skipped[:6])}",) if skipped else (),
    )


def cost_of(model: nn.Module, x: Inputs) -> Cost:
    """What a network costs as it is."""
    from minima.zoo.anatomy.following import followed
    from minima.zoo.anatomy.unit_costs import costs_of

    return costs_of(followed(model, x[:1]), model, []).of({})


def _decided(
    model: nn.Module, x: Inputs, fold_batch_norm: bool, vanishing: Vanishing, stuck: Stuck
) -> tuple[Removable, nn.Module, Manifest, Removal]:
    """What there is to remove, the wide network in float64 with that removed, what makes it narrow, what was decided.

    Begun anew with a bias where one is missing for a constant.
    """
    import torch

    from minima.zoo.anatomy.narrowing.narrow import add_bias
    from minima.zoo.anatomy.removable import removable
    from pruning.shrink.batch_norm import fold, pairs
    from pruning.shrink.constants import agreed
    from pruning.shrink.given import in_float64
    from pruning.shrink.removal import remove_units
    from pruning.shrink.sights import batch_of, other_sizes, runs
    from pruning.shrink.whole import Whole

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


def _own_attributes(model: nn.Module, manifest: Manifest) -> dict[str, int]:
    """Attributes that hold a width by the network's own code, not by that of torch's layers, and the largest size."""
    from minima.zoo.anatomy.narrowing.narrow import sizes_of

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
    import torch

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
