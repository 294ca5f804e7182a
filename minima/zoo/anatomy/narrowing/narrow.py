"""A network made narrower by a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.narrowing.attention import NarrowAttention
from minima.zoo.anatomy.narrowing.manifest import Manifest, Value, parse_manifest
from minima.zoo.anatomy.narrowing.merging import merge

SIZES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "Linear": (("in_features", "weight", 1), ("out_features", "weight", 0)),
    "Conv1D": (("nx", "weight", 0), ("nf", "weight", 1)),
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), (("num_features", "weight", 0),)),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), (("num_features", "weight", 0),)),
    "Embedding": (("num_embeddings", "weight", 0), ("embedding_dim", "weight", 1)),
}
"""of a class of modules: attributes, and of which tensor's axis each is the size"""
CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d")


def apply_shrunk(model: nn.Module, entry: Mapping[str, Any]) -> nn.Module:
    """The network as the entry `model` of a checkpoint says, made narrower where that has manifests under `shrunk`.

    Raises:
        BadInput: they are damaged, or of another network.
    """
    found = entry.get("shrunk", [])
    if not isinstance(found, list | tuple):
        raise BadInput("the checkpoint's entry `shrunk` is damaged: expected a list. Make the file again")
    for manifest in found:
        narrow(model, parse_manifest(manifest))
    return model


def narrow(model: nn.Module, manifest: Manifest) -> None:
    """Make a network narrower, in place.

    Raises:
        BadInput: it is no network that the manifest fits.
    """
    for name in manifest.identities:
        parent, _, last = name.rpartition(".")
        _module(model, name)
        setattr(_module(model, parent), last, nn.Identity())
    for name in manifest.biases:
        add_bias(_module(model, name), name)
    for first, second in manifest.merged:
        why = merge(model, _named(model, first), _named(model, second))
        if why:
            raise _misfit(why)
    for name in manifest.attentions:
        NarrowAttention.take_over(_module(model, name), name)
    select(model, manifest.tensors)
    for name, attributes in manifest.attributes.items():
        for key, value in attributes.items():
            set_size(_module(model, name), name, key, value)


def add_bias(module: nn.Module, name: str) -> None:
    """Give a linear layer or a convolution a bias of zeros."""
    if not isinstance(module, nn.Linear | nn.modules.conv._ConvNd) or module.bias is not None:
        raise _misfit(f"{name} cannot get a bias: it has one, or is no linear layer")
    module.bias = nn.Parameter(torch.zeros(len(module.weight), dtype=module.weight.dtype, device=module.weight.device))


def set_size(module: nn.Module, name: str, key: str, value: Value) -> None:
    """Change an attribute that holds a size."""
    before = vars(module).get(key)
    kinds = (int, tuple, list)
    if not isinstance(before, kinds) or isinstance(before, bool) or isinstance(before, int) != isinstance(value, int):
        raise _misfit(f"{name} has no size {key}")
    setattr(module, key, value)


def select(model: nn.Module, kept: Mapping[str, Mapping[int, Iterable[int]]]) -> None:
    """Keep these entries of its tensors. A tensor that several modules share stays one."""
    tensors = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    made: dict[int, Tensor] = {}
    for name, axes in kept.items():
        if name not in tensors:
            raise _misfit(f"it has no {name}")
        before = tensors[name]
        if id(before) not in made:
            made[id(before)] = _selected(before, name, axes)
        path, _, last = name.rpartition(".")
        owner = _module(model, path)
        held: dict[str, Any] = owner._parameters if isinstance(before, nn.Parameter) else owner._buffers
        held[last] = made[id(before)]


def sizes_of(module: nn.Module) -> dict[str, int]:
    """The attributes of a layer of torch or transformers that hold sizes of its tensors, as those tensors are now."""
    kind = next((each.__name__ for each in type(module).__mro__ if each.__name__ in (*SIZES, *CONVOLUTIONS)), None)
    if kind in CONVOLUTIONS:
        assert isinstance(module, nn.modules.conv._ConvNd)
        (rows, columns), groups = module.weight.shape[:2], module.groups
        if module.in_channels == groups > 1:  # a group for each channel: fewer channels are fewer groups
            groups = rows * groups // module.out_channels
        return {"in_channels": columns * groups, "out_channels": rows, "groups": groups}
    found = {}
    for key, tensor, axis in SIZES.get(kind or "", ()):
        held = getattr(module, tensor, None)
        held = getattr(module, "running_mean", None) if held is None else held
        if held is not None:
            found[key] = int(held.shape[axis])
    return found


def _selected(tensor: Tensor, name: str, axes: Mapping[int, Iterable[int]]) -> Tensor:
    found = tensor.detach()
    for axis, places in axes.items():
        kept = list(places)
        if axis >= found.ndim or kept[-1] >= found.shape[axis]:
            raise _misfit(f"{name} has shape {tuple(tensor.shape)}, and place {kept[-1]} of axis {axis} is kept")
        found = found.index_select(axis, torch.tensor(kept, device=tensor.device))
    return nn.Parameter(found, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else found


def _named(model: nn.Module, name: str) -> str:
    _module(model, name)
    return name


def _module(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        raise _misfit(f"it has no module {name}") from error


def _misfit(why: str) -> BadInput:
    return BadInput(
        f"the network is not the one that the checkpoint was shrunk from: {why}.\nName the right one with --model"
    )
