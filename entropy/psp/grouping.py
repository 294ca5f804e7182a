"""What the states are held against instead of the class: an attribute of each example, from an array file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minima.store.command import BadInput
from minima.zoo.data.numpy_files import read_npy

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.subject.subject import Subject


def read_groups(path: Path, subject: Subject) -> tuple[Tensor, int]:
    """Group of each measured example (N,), 0..G-1, and G, from an .npy of whole numbers for the split in file order.

    Raises:
        BadInput: the file is none, holds other than whole numbers >= 0, or not one for each example of the split.
    """
    import torch

    try:
        array = read_npy(path)
    except BadInput as error:
        raise BadInput(f"--group-by {error}") from error
    if array.dtype.kind not in "iub":
        raise BadInput(f"--group-by {path}: expected an array of whole numbers, one group for each example")
    if array.shape != (subject.available,):
        raise BadInput(
            f"--group-by {path} has shape {array.shape}; expected ({subject.available},): "
            f"one group for each example of the {subject.split} split, in file order"
        )
    if array.min() < 0:
        raise BadInput(f"--group-by {path}: groups are numbered from 0, found {array.min()}")
    groups = int(array.max()) + 1
    if groups < 2:
        raise BadInput(f"--group-by {path}: all examples are in one group; expected two at least")
    return torch.from_numpy(array.astype(np.int64))[subject.rows], groups
