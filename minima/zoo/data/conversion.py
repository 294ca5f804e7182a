"""From an array as it lies to a tensor as a network takes it: decided once by type and shape, done chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from minima.store.command import BadInput


@dataclass(frozen=True)
class Reading:
    """How arrays are made into inputs, where they do not say it themselves."""

    mean: Sequence[float] = (0.0,)
    std: Sequence[float] = (1.0,)
    input_shape: tuple[int, ...] | None = None
    """of one example: arrays are reshaped to it"""
    scale: float | None = None
    """factor for integer inputs; None: 1/255 for uint8 images, others as they are"""
    labels_in: bool = False
    """whether `labels` of a dict go to the network too"""


@dataclass(frozen=True)
class Conversion:
    """What is done to every chunk of an array; `like` is the array, or the first of its examples."""

    scaled: bool
    """whether integers become floats"""
    factor: float
    """times which; of images of 8 bits divided by 255, which rounds otherwise"""
    image: bool
    """whether channels are brought to the front"""
    reading: Reading
    where: str
    """what the array is called in messages"""

    @staticmethod
    def of(like: Tensor, reading: Reading, where: str, notes: list[str]) -> Conversion:
        """Images of 8 bits in [0, 1], channels first; floats as float32; integers int64. What was guessed is noted."""
        if like.is_complex() or like.dtype.itemsize > 8:
            raise BadInput(f"{where} has dtype {str(like.dtype)[6:]}; expected real numbers")
        whole, eight = _whole(like), like.dtype == torch.uint8
        image = eight and reading.input_shape is None and _is_image(like.shape)
        shaped = eight and reading.input_shape is not None and len(reading.input_shape) == 3
        scaled = whole and (reading.scale is not None or image or shaped)
        factor = 1 / 255 if reading.scale is None else reading.scale
        if scaled and reading.scale is None:
            notes.append(f"{where.rpartition(': ')[2]}: integers of 8 bits taken for images, and divided by 255")
        return Conversion(scaled, factor, image, reading, where)

    def __call__(self, raw: Tensor) -> Tensor:
        """The inputs (n, ...) that a chunk (n, ...) becomes."""
        if self.scaled:
            tensor = raw.float() / 255 if self.reading.scale is None else raw.float() * self.factor
        elif raw.is_floating_point():
            tensor = raw.float()
        else:
            tensor = raw.long() if _whole(raw) else raw
        if self.image:
            tensor = _channels_first(tensor)
        if self.reading.input_shape is not None:
            tensor = _shaped(tensor, self.reading.input_shape, self.where)
        return _normalise(tensor, self.reading.mean, self.reading.std) if tensor.is_floating_point() else tensor


def as_tensor(given: Any, where: str) -> Tensor:
    """An array, a list of numbers or a tensor as a tensor on the CPU, of the numbers as they lie.

    Raises:
        BadInput: it holds no numbers, or none at all.
    """
    if torch.is_tensor(given):
        tensor = given.detach()
        return (tensor if tensor.layout == torch.strided else tensor.to_dense()).cpu()
    try:
        array = np.asarray(given)
    except ValueError as error:  # lists of different lengths
        raise BadInput(f"{where} is ragged: its rows have different lengths. Pad them to one") from error
    if array.dtype.kind not in "fiubc":
        raise BadInput(f"{where} has dtype {array.dtype}, and must hold numbers")
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if native.dtype == np.longdouble:
        native = native.astype(np.float64)
    return torch.tensor(native)


def check_numbers_of(raw: Tensor, where: str) -> None:
    """Refuse inputs without examples, and such that are not finite.

    Raises:
        BadInput: with how many values are NaN or infinite.
    """
    if raw.ndim == 0 or len(raw) == 0:
        raise BadInput(f"{where} is empty")
    check_finite(broken_in(raw), where)


def broken_in(raw: Tensor, first: int = 0) -> tuple[int, int | None]:
    """How many values of a chunk are NaN or infinite, and the first example that holds one; `first`: of the chunk."""
    if not raw.is_floating_point():
        return 0, None
    rows = (~raw.isfinite()).reshape(len(raw), -1).sum(1)
    count = int(rows.sum())
    return count, first + int(rows.nonzero()[0]) if count else None


def check_finite(broken: tuple[int, int | None], where: str) -> None:
    """Refuse data in which `broken_in` counted numbers that are not finite."""
    count, first = broken
    if count:
        raise BadInput(
            f"{where} contains NaN or infinity: {count:,} of its values, the first in example {first}.\n"
            "Leave these examples out, or put numbers in their place"
        )


def _whole(raw: Tensor) -> bool:
    return not (raw.is_floating_point() or raw.dtype == torch.bool)


def _is_image(shape: Sequence[int]) -> bool:
    """Whether (N, H, W), (N, H, W, C) or (N, C, H, W), C being 1 or 3."""
    return len(shape) == 3 or (len(shape) == 4 and (shape[3] in (1, 3) or shape[1] in (1, 3)))


def _channels_first(images: Tensor) -> Tensor:
    """(N, H, W) or (N, H, W, C) -> (N, C, H, W)."""
    if images.ndim == 3:
        return images[:, None]
    return images.movedim(3, 1).contiguous() if images.shape[3] in (1, 3) and images.shape[1] not in (1, 3) else images


def _shaped(tensor: Tensor, shape: tuple[int, ...], where: str) -> Tensor:
    try:
        return tensor.reshape(len(tensor), *shape)
    except RuntimeError as error:
        raise BadInput(
            f"--input-shape {','.join(map(str, shape))}: an example of {where} has the shape "
            f"{tuple(tensor.shape[1:])}, which holds another number of values"
        ) from error


def _normalise(inputs: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(x - mean) / std per channel (the second axis)."""
    if min(std) <= 0:
        raise BadInput(f"--std must be positive, not {min(std)}")
    if set(mean) == {0.0} and set(std) == {1.0}:
        return inputs
    channels = inputs.shape[1] if inputs.ndim > 1 else 1
    for name, values in (("--mean", mean), ("--std", std)):
        if len(values) not in (1, channels):
            raise BadInput(f"{name} has {len(values)} values but the inputs {channels} channels")
    shape = (1, -1) + (1,) * (inputs.ndim - 2) if inputs.ndim > 1 else (1,)
    centre, spread = (torch.tensor(each, device=inputs.device).view(shape) for each in (mean, std))
    return (inputs - centre) / spread
