"""Masks of networks that others pruned: those that a file holds, and those that its exact zeros are taken for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.checkpoints.foreign import Foreign
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.subject.comparing import Comparison, is_mask
from minima.zoo.subject.meaning import dense
from minima.zoo.subject.misfit import some
from minima.zoo.subject.names import canonical
from minima.zoo.subject.slots import Slots

if TYPE_CHECKING:
    from torch import Tensor, nn

SHARE_OF_ZEROS_THAT_IS_A_MASK = 0.01


def stored_masks(
    foreign: Foreign, fit: Comparison, slots: Slots, state: Mapping[str, Tensor], path: Path
) -> tuple[dict[str, Tensor], list[str]]:
    """The masks in the file (bool, True = kept) by parameter name: of torch's pruning, or under a key of their own.

    A mask that is 1 just where the state's weights are 0 marks what is removed, and is turned.
    """
    pairs = {name: source[1] for name, source in fit.sources.items() if len(source) > 1}
    where = pairs | fit.masks or _under_own_key(foreign, fit, slots)
    masks = {slots.twins(name)[0]: dense(foreign.tensors[source]).bool() for name, source in where.items()}
    if not masks:
        return {}, []
    turned = all(_marks_removed(mask, state[name]) for name, mask in masks.items())
    masks = {name: ~mask for name, mask in masks.items()} if turned else masks
    kind = "torch's pruning" if pairs else f"the file ({next(iter(where.values()))} and others)"
    said = ", which are 1 where weights are removed," if turned else ""
    return masks, [f"{path.name}: masks of {kind}{said} remove {_counts(masks)}"]


def _marks_removed(mask: Tensor, weight: Tensor) -> bool:
    return bool(mask.any()) and not bool(weight[mask].any()) and bool(weight[~mask].any())


def _under_own_key(foreign: Foreign, fit: Comparison, slots: Slots) -> dict[str, str]:
    """Tensors of zeros and ones in a place whose name says mask, under the names of the parameters that they fit."""
    taken = {name for source in fit.sources.values() for name in source}
    own = {common: name for name, common in canonical(slots.tensors).items() if name in slots.parameters}
    found: dict[str, str] = {}
    for source, tensor in foreign.tensors.items():
        parts = source.split(".")
        marked = [
            index for index, part in enumerate(parts[:-1]) if re.search(r"(?<![a-z])masks?(?![a-z])", part.lower())
        ]
        if source in taken or not marked:
            continue
        target = _target(".".join(parts[marked[0] + 1 :]), fit.prefix, own)
        if target and target not in found and is_mask(tensor, slots.tensors[target]):
            found[target] = source
    return found


def _target(name: str, prefix: str, own: Mapping[str, str]) -> str | None:
    """The parameter that a mask's name means: its own, with `_mask` behind it, or that of its layer."""
    parts = next(iter(canonical([name]).values())).split(".")
    for start in range(len(parts)):  # whatever was put before it
        bare = ".".join(parts[start:])
        for form in (bare, bare.removesuffix("_mask"), f"{bare.removesuffix('.mask')}.weight"):
            for whole in (f"{prefix}{form}", form):
                if whole in own:
                    return own[whole]
    return None


def apply(masks: Mapping[str, Tensor], state: dict[str, Tensor], slots: Slots, path: Path) -> list[str]:
    """Put what the masks remove to 0 in the state, and say where it was not."""
    notes = []
    for name, mask in masks.items():
        beneath = int(((state[name] != 0) & ~mask).sum())
        if beneath:
            cut = state[name] * mask.to(state[name].dtype)
            state.update(dict.fromkeys(slots.twins(name), cut))
            notes.append(f"{path.name}: {beneath:,} weights of {name} that its mask removes were not 0; they are now")
    return notes


def masks_from_zeros(model: nn.Module, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Weights with at least 1 % exact zeros count as pruned there; one that is all zero is one that starts at zero."""
    masks = {}
    for name, weight in _maskable(model).items():
        mask = weight.detach() != 0
        removed = int((~mask).sum())
        if SHARE_OF_ZEROS_THAT_IS_A_MASK * mask.numel() <= removed < mask.numel():
            masks[name] = mask
    if not masks:
        return {}, []
    said = f"exact zeros count as removed weights (--zeros keep turns this off): {_counts(masks)}"
    return masks, [f"{path.name}: {said}"]


def _maskable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of `prunable`, and the originals of reparametrised ones whose zeros are zeros of the weight.

    Those are the direction of weight norm and the original of spectral norm. An orthogonal weight mixes its
    original's elements, so that a zero there means nothing.
    """
    from torch.nn.utils import parametrizations

    originals = {}
    kinds = {parametrizations._WeightNorm: "original1", parametrizations._SpectralNorm: "original"}
    for name, module in model.named_modules():
        for tensor, applied_to in getattr(module, "parametrizations", {}).items():
            kept = kinds.get(type(applied_to[0])) if len(applied_to) == 1 else None
            if kept is not None and tensor == "weight":
                path = f"{name}.parametrizations.weight.{kept}".lstrip(".")
                originals[path] = getattr(applied_to, kept)
    return prunable(model) | originals


def _counts(masks: Mapping[str, Tensor]) -> str:
    """What is removed of each tensor."""
    return some([f"{name} {int((~mask).sum()):,} of {mask.numel():,}" for name, mask in masks.items()], "; ")
