"""Checkpoints that others wrote: state dicts, bare or wrapped, of parallel or compiled models, with pruning masks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput, note
from minima.zoo.anatomy.prunable import prunable

if TYPE_CHECKING:
    from torch import Tensor, nn

WRAPPERS = ("state_dict", "model", "model_state_dict")
SHARE_OF_ZEROS_THAT_IS_A_MASK = 0.01


def foreign_state(raw: Mapping[str, Any], path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The state dict in a foreign file, and the masks torch's pruning left in it (bool, True = kept)."""
    import torch

    for wrapper in WRAPPERS:
        if isinstance(raw.get(wrapper), Mapping):
            raw = raw[wrapper]
    tensors = {_own_name(key): value for key, value in raw.items() if torch.is_tensor(value)}
    if not tensors:
        raise BadInput(
            f"{path} holds no tensors: expected a state dict, or one under {' or '.join(map(repr, WRAPPERS))}.\n"
            f"Its keys: {', '.join(map(str, list(raw)[:8])) or 'none'}"
        )
    masks = {}
    for key in [key for key in tensors if key.endswith("_orig")]:
        name = key.removesuffix("_orig")
        if f"{name}_mask" in tensors:
            masks[name] = tensors.pop(f"{name}_mask").bool()
            tensors[name] = tensors.pop(key) * masks[name]
    return tensors, masks


def _own_name(key: str) -> str:
    """A tensor's name without what torch's parallel (`module.`) and compiled (`_orig_mod.`) models put into it.

    >>> _own_name("module._orig_mod.conv1.weight"), _own_name("layer1._orig_mod.0.weight")
    ('conv1.weight', 'layer1.0.weight')
    """
    return key.replace("_orig_mod.", "").removeprefix("module.")


def load_weights(model: nn.Module, state: Mapping[str, Tensor], path: Path, model_name: str) -> None:
    """Load `state` strictly; a mismatch names what is missing, left over, or of another shape."""
    own = model.state_dict()
    missing = [key for key in own if key not in state]
    extra = [key for key in state if key not in own]
    shapes = [
        f"{key}: {tuple(state[key].shape)} in the file, {tuple(own[key].shape)} in the model"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if missing or extra or shapes:
        problems = [f"missing in the file: {_some(missing)}"] * bool(missing)
        problems += [f"not in the model: {_some(extra)}"] * bool(extra) + [_some(shapes, "; ")] * bool(shapes)
        raise BadInput(
            f"{path} does not fit the model {model_name}: "
            + ".\n".join(problems)
            + ".\nName the right one with --model"
        )
    broken = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise BadInput(f"{path}: {_some(broken)} contains NaN or infinity: there is nothing to measure at such a point")
    model.load_state_dict(dict(state))


def masks_from_zeros(model: nn.Module, path: Path, zeros: Literal["mask", "keep"]) -> dict[str, Tensor]:
    """Prunable weights with at least 1 % exact zeros count as pruned there, said on stderr, unless zeros = `keep`."""
    if zeros == "keep":
        return {}
    masks = {}
    for name, weight in prunable(model).items():
        mask = weight.detach() != 0
        if (~mask).sum() >= SHARE_OF_ZEROS_THAT_IS_A_MASK * mask.numel() and not mask.all():
            masks[name] = mask
    if masks:
        removed = sum(int((~mask).sum()) for mask in masks.values())
        note(
            f"{path}: {removed:,} exact zeros in {_some(list(masks))} count as removed weights "
            "(--zeros keep turns this off)"
        )
    return masks


def _some(items: list[str], separator: str = ", ") -> str:
    shown = separator.join(items[:4])
    return shown if len(items) <= 4 else f"{shown} and {len(items) - 4} more"
