"""Trajectories: a network's weights at kept epochs or steps of its training, in one HDF5 file.

The file holds the checkpoint's header as JSON, the scale `step`, `state/NAME` with a leading axis `step`, `masks/NAME`,
packed bits, where weights were removed, and `numbers/NAME` where more is known of each moment. It is written by
`minima.store.checkpoints.trajectory_writer`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.checkpoints.checkpoint import Checkpoint, check_finite
from minima.store.checkpoints.header import HEADER, check_header
from minima.store.checkpoints.packing import unpack_bits
from minima.store.hdf5.opening import is_hdf5, opened
from minima.store.messages import BadInput

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "minima-trajectory"
VERSION = 2
NUMBERS = "numbers"
"""the group of what is known of each moment beside its weights"""

Unit = Literal["epoch", "step"]


def is_trajectory(path: Path) -> bool:
    """Whether the file is a trajectory, finished and whole enough to be opened."""
    if not is_hdf5(path):
        return False
    try:
        with opened(path) as file:
            return bool(file.attrs.get("format") == FORMAT)
    except BadInput:
        return False


def read_steps(path: Path) -> list[int]:
    """The kept moments, ascending."""
    with opened(path, FORMAT, VERSION) as file:
        return [int(step) for step in file["step"]]


def load_step(path: Path, step: int) -> Checkpoint:
    """The network at one kept moment.

    Raises:
        BadInput: the file is no trajectory, that moment was not kept, or a weight is not finite there.
    """
    state, masks, numbers = read_moment(path, step)
    entries = read_header(path)
    if numbers:
        entries["training"] = entries["training"] | {"moment": numbers}
    checkpoint = Checkpoint(state=state, masks=masks, **entries)
    check_finite(checkpoint, path)
    return checkpoint


def read_header(path: Path) -> dict[str, Any]:
    """What all moments share: the fields of a checkpoint that are no tensors, as plain containers."""
    with opened(path, FORMAT, VERSION) as file:
        entries = json.loads(file.attrs["header"])["header"]
    check_header(entries, str(path))
    return {name: entries[name] for name in HEADER}


def read_moment(path: Path, step: int) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, float]]:
    """The weights, the masks and the numbers of one kept moment.

    Raises:
        BadInput: that moment was not kept.
    """
    import torch

    with opened(path, FORMAT, VERSION) as file:
        steps = [int(kept) for kept in file["step"]]
        if step not in steps:
            raise BadInput(f"{path} does not hold {file.attrs['unit']} {step}. It holds {_some(steps)}")
        row = steps.index(step)
        names = json.loads(file.attrs["names"])
        state = {name: torch.as_tensor(file["state"][name][row]) for name in names}
        bits = {name: torch.as_tensor(file["masks"][name][row]) for name in names if name in file["masks"]}
        told = {name: float(each[row]) for name, each in file[NUMBERS].items()} if NUMBERS in file else {}
    masks = {name: unpack_bits(packed, state[name].shape) for name, packed in bits.items()}
    return state, masks, {name: value for name, value in told.items() if not math.isnan(value)}


def _some(steps: Sequence[int]) -> str:
    shown = ", ".join(map(str, steps[:8]))
    return shown if len(steps) <= 8 else f"{shown}, ... {steps[-1]}"
