"""A whole network in bytes: its convolutions and linear layers quantised and coded, all else as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from minima.zoo.anatomy.prunable import prunable

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Dtypes = Mapping[str, torch.dtype]
    """of the tensors in a network's file, by their names"""
from pruning.coded.coder import LENGTH, CodedLayer, decode, encode
from pruning.coded.ideal import Ideal, ideal
from pruning.coded.quantising import Quantised

Quantise = Callable[[str, NDArray[np.float64]], Quantised]
"""the name of a weight, and the weight -> its symbols"""


@dataclass(frozen=True, eq=False)
class CodedNetwork:
    """The bytes of a network, and where they go. Who decodes them knows the shapes of its tensors."""

    content: bytes
    layers: Mapping[str, CodedLayer]
    """by weight"""
    ideals: Mapping[str, Ideal]
    nonzero: Mapping[str, int]
    """weights that are not 0 once they are quantised"""
    other_bytes: int
    """of biases, normalisations, buffers and whatever else is not quantised"""

    @property
    def ideal_bits(self) -> float:
        """The bits of an ideal code of all layers' weights, and of what is written as it is."""
        return sum(each.bits for each in self.ideals.values()) + 8 * self.other_bytes


def encoded(model: nn.Module, masks: Mapping[str, Tensor], quantise: Quantise, dtypes: Dtypes) -> CodedNetwork:
    """A network as bytes: the layers one after the other, then all other tensors, as narrow as its file has them."""
    layers: dict[str, CodedLayer] = {}
    ideals: dict[str, Ideal] = {}
    nonzero: dict[str, int] = {}
    for name, weight in _weights(model).items():
        values = weight.detach().double()
        values = values * masks[name] if name in masks else values
        found = quantise(name, values.cpu().numpy())
        layers[name] = encode(found.symbols, found.step)
        ideals[name], nonzero[name] = ideal(found.symbols), int(np.count_nonzero(found.symbols))
    others = b"".join(_bytes_of(tensor.to(dtype)) for tensor, dtype in _others(model, dtypes))
    content = b"".join(LENGTH.pack(len(each.content)) + each.content for each in layers.values()) + others
    return CodedNetwork(content, layers, ideals, nonzero, len(others))


def decoded(content: bytes, model: nn.Module, dtypes: Dtypes) -> nn.Module:
    """A copy of a network whose every tensor is read from the bytes; of `model` only code and shapes are used."""
    import torch

    found, at = deepcopy(model), 0
    with torch.no_grad():
        for weight in _weights(found).values():
            (length,) = LENGTH.unpack_from(content, at)
            at += LENGTH.size + length
            quantised = Quantised(*decode(content[at - length : at], weight.shape))
            weight.copy_(torch.from_numpy(quantised.weights()))
        for tensor, dtype in _others(found, dtypes):
            stored = torch.empty(tensor.shape, dtype=dtype)
            flat = np.frombuffer(content, dtype=np.uint8, count=stored.nbytes, offset=at)
            _raw(stored)[:] = torch.from_numpy(flat.copy())
            at += stored.nbytes
            tensor.copy_(stored)
    return found


def _weights(model: nn.Module) -> dict[str, nn.Parameter]:
    return prunable(model)


def state_tensors(model: nn.Module, dtypes: Dtypes) -> list[tuple[Tensor, torch.dtype]]:
    """The tensors that a network's state holds, one that is shared once, each with the dtype that it takes: its own, or
    that of the file where this is narrower, as of half precision, which is widened to be measured."""
    import torch

    found: dict[int, tuple[Tensor, torch.dtype]] = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if torch.is_tensor(tensor):
            stored = dtypes.get(name, tensor.dtype)
            narrower = tensor.is_floating_point() and stored.is_floating_point and stored.itemsize < tensor.itemsize
            found.setdefault(id(tensor), (tensor, stored if narrower else tensor.dtype))
    return list(found.values())


def _others(model: nn.Module, dtypes: Dtypes) -> list[tuple[Tensor, torch.dtype]]:
    """Those that are not coded."""
    coded = {id(weight) for weight in _weights(model).values()}
    return [each for each in state_tensors(model, dtypes) if id(each[0]) not in coded and each[0].numel()]


def _bytes_of(tensor: Tensor) -> bytes:
    return _raw(tensor.detach().cpu().contiguous()).numpy().tobytes()


def _raw(tensor: Tensor) -> Tensor:
    """The bytes of a contiguous tensor, which share its memory."""
    import torch

    return tensor.view(-1).view(torch.uint8)
