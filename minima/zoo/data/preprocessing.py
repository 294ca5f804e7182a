"""From arrays as they lie on disk to normalised tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.data.dataset import ARRAYS, Dataset


def to_dataset(arrays: Mapping[str, Any], mean: Sequence[float], std: Sequence[float], source: str) -> Dataset:
    """Check the four arrays, scale and normalise them. Errors name `source` and the array."""
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise BadInput(f"{source} has no array {', '.join(missing)}; expected {', '.join(ARRAYS)}")
    tensors = {}
    for split in ("train", "test"):
        inputs = _inputs(np.asarray(arrays[f"x_{split}"]), f"{source}: x_{split}")
        labels = _labels(np.asarray(arrays[f"y_{split}"]), f"{source}: y_{split}")
        if len(inputs) != len(labels):
            raise BadInput(f"{source}: x_{split} holds {len(inputs)} examples but y_{split} {len(labels)}")
        tensors[f"x_{split}"] = _normalise(inputs, mean, std)
        tensors[f"y_{split}"] = labels
    if tensors["x_train"].shape[1:] != tensors["x_test"].shape[1:]:
        shapes = [tuple(tensors[name].shape[1:]) for name in ("x_train", "x_test")]
        raise BadInput(f"{source}: inputs of the two splits differ in shape: {shapes[0]} and {shapes[1]}")
    classes = int(max(tensors["y_train"].max(), tensors["y_test"].max())) + 1
    return Dataset(**tensors, classes=classes)


def _inputs(array: np.ndarray, where: str) -> Tensor:
    """uint8 images (N,H,W), (N,H,W,C), (N,C,H,W) become (N,C,H,W) in [0, 1]; floats (N,H,W) become (N,1,H,W)."""
    if len(array) == 0:
        raise BadInput(f"{where} is empty")
    if array.dtype == np.uint8:
        if array.ndim == 4 and array.shape[3] in (1, 3):
            array = array.transpose(0, 3, 1, 2)
        tensor = torch.tensor(array).float() / 255
    elif np.issubdtype(array.dtype, np.floating):
        tensor = torch.tensor(array, dtype=torch.float32)
    else:
        raise BadInput(f"{where} has dtype {array.dtype}; expected uint8 images or floating point")
    if not torch.isfinite(tensor).all():
        raise BadInput(f"{where} contains NaN or infinity")
    return tensor[:, None] if tensor.ndim == 3 else tensor


def _labels(array: np.ndarray, where: str) -> Tensor:
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise BadInput(f"{where} must be a vector of integers, not {array.dtype} of shape {array.shape}")
    if len(array) and array.min() < 0:
        raise BadInput(f"{where} contains the label {array.min()}; labels count from 0")
    return torch.from_numpy(array.astype(np.int64))


def _normalise(inputs: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(x - mean) / std per channel (the second axis)."""
    channels = inputs.shape[1]
    for name, values in (("--mean", mean), ("--std", std)):
        if len(values) not in (1, channels):
            raise BadInput(f"{name} has {len(values)} values but the inputs {channels} channels")
    if min(std) <= 0:
        raise BadInput(f"--std must be positive, not {min(std)}")
    if set(mean) == {0.0} and set(std) == {1.0}:
        return inputs
    shape = (1, -1) + (1,) * (inputs.ndim - 2)
    return (inputs - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
