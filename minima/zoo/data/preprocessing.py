"""From arrays as they lie on disk to tensors as a network takes them; what was done to them is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.data.dataset import Dataset
from minima.zoo.examples.inputs import Inputs, Several, shapes
from minima.zoo.losses.classification import rows_of

LABELS = "labels"
"""the entry of a dict of inputs that holds targets"""


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


def to_dataset(arrays: Mapping[str, Any], reading: Reading, source: str) -> Dataset:
    """The splits that the arrays hold, scaled and normalised. Errors name `source` and the array.

    `x_train`, or `x_train.NAME` for each entry of a dict; `y_train`, or the entry `labels` of the dict; likewise `_test`.

    >>> made = to_dataset({"x_train": np.zeros((2, 3), np.int32), "y_train": np.array([0, 1])}, Reading(), "here")
    >>> made.x_train.dtype, made.classes
    (torch.int64, 2)
    """
    notes: list[str] = []
    parts: dict[str, Any] = {}
    for split in ("train", "test"):
        inputs, targets = _split(arrays, split, reading, source, notes)
        parts |= {f"x_{split}": inputs, f"y_{split}": targets}
    if parts["x_train"] is None and parts["x_test"] is None:
        found = ", ".join(arrays) or "nothing"
        raise BadInput(f"{source} has no array x_train or x_test; found {found}")
    two = [shapes(parts[name]) for name in ("x_train", "x_test") if parts[name] is not None]
    if len(set(two)) > 1:
        raise BadInput(f"{source}: inputs of the two splits differ in shape: {two[0]} and {two[1]}")
    known: list[Any] = [each for each in (parts["y_train"], parts["y_test"]) if each is not None]
    kinds = [f"{str(each.dtype).removeprefix('torch.')} of shape {rows_of(each.shape[1:])}" for each in known]
    if len(set(kinds)) > 1:
        raise BadInput(f"{source}: targets of the two splits differ: y_train holds {kinds[0]}, y_test {kinds[1]}")
    return Dataset(**parts, classes=_classes(*known), notes=tuple(dict.fromkeys(notes)))


def _split(
    arrays: Mapping[str, Any], split: str, reading: Reading, source: str, notes: list[str]
) -> tuple[Inputs | None, Tensor | None]:
    """Inputs and targets of one split; None where it is not there."""
    name = f"x_{split}"
    found = arrays.get(name)
    fields = {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}
    if isinstance(found, Mapping):
        fields |= found
    if found is None and not fields:
        return None, None
    targets = arrays.get(f"y_{split}")
    if fields:
        if targets is None and LABELS in fields:
            targets = fields[LABELS]
        if not reading.labels_in:
            fields.pop(LABELS, None)
        inputs: Inputs = Several({key: _inputs(each, reading, f"{source}: {name}.{key}", notes) for key, each in fields.items()})
    elif isinstance(found, tuple | list) and not _is_numbers(found):
        inputs = Several(tuple(_inputs(each, reading, f"{source}: {name}", notes) for each in found))
    else:
        inputs = _inputs(found, reading, f"{source}: {name}", notes)
    if targets is None:
        return inputs, None
    labels = _targets(targets, f"{source}: y_{split}")
    if len(inputs) != len(labels):
        raise BadInput(f"{source}: {name} holds {len(inputs)} examples but y_{split} {len(labels)}")
    return inputs, labels


def _inputs(given: Any, reading: Reading, where: str, notes: list[str]) -> Tensor:
    """One array as a tensor (N, ...): images of 8 bits in [0, 1], channels first; floats as float32; integers int64."""
    array = _array(given)
    if array.ndim == 0 or len(array) == 0:
        raise BadInput(f"{where} is empty")
    kind = array.dtype.kind
    if kind not in "fiub":
        raise BadInput(f"{where} has dtype {array.dtype}; expected numbers")
    image = array.dtype == np.uint8 and reading.input_shape is None and _is_image(array.shape)
    if kind == "f":
        tensor = torch.tensor(array, dtype=torch.float32)
        if not torch.isfinite(tensor).all():
            raise BadInput(f"{where} contains NaN or infinity")
    elif reading.scale is not None and kind in "iu":
        tensor = torch.tensor(array.astype(np.float32)) * reading.scale
    elif image or (array.dtype == np.uint8 and reading.input_shape is not None and len(reading.input_shape) == 3):
        tensor = torch.tensor(array).float() / 255
        notes.append(f"{where.rpartition(': ')[2]}: integers of 8 bits taken for images, and divided by 255")
    else:
        tensor = torch.tensor(array if kind == "b" else array.astype(np.int64))
    if image:
        tensor = _channels_first(tensor)
    if reading.input_shape is not None:
        tensor = _shaped(tensor, reading.input_shape, where)
    return _normalise(tensor, reading.mean, reading.std) if tensor.is_floating_point() else tensor


def _array(given: Any) -> np.ndarray:
    return np.ascontiguousarray(given.detach().cpu().numpy() if torch.is_tensor(given) else given)


def _is_numbers(found: Sequence[Any]) -> bool:
    """Whether a list is an array written out, and not several inputs."""
    return bool(found) and not hasattr(found[0], "shape")


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
            f"--input-shape {','.join(map(str, shape))}: an example of {where} has the shape {tuple(tensor.shape[1:])}, "
            "which holds another number of values"
        ) from error


def _targets(given: Any, where: str) -> Tensor:
    """Integers and booleans as int64, floats as float32, of any shape."""
    array = _array(given)
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise BadInput(f"{where} must hold numbers, one or more for each example, not {array.dtype} of {array.shape}")
    return torch.tensor(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))


def _classes(*targets: Tensor) -> int | None:
    """How many classes labels (N,) name, counted from 0; None where targets are others."""
    if not targets or any(each.ndim != 1 or each.is_floating_point() for each in targets):
        return None
    return max(int(each.max()) for each in targets) + 1


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
    return (inputs - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
