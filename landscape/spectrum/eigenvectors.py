"""Eigenvectors in a results file: written over all parameters, read back as coordinates or as tensors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from minima.store.command import BadInput
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION

if TYPE_CHECKING:
    from landscape.objective.coordinates import Coordinates
    from minima.store.hdf5.results import Place

DATASET = "hessian/eigenvectors"


def make_room(place: Place, coordinates: Coordinates, count: int, *, later: bool = False) -> None:
    """The scale of the weights, before `count` vectors are computed: the networks of a file must have as many.

    `later`: the scale is made with the vectors (`scale`), since it lies in memory until the file is written.

    Raises:
        BadInput: another one has more or fewer, or the disk has no room for the vectors.
    """
    size = len(coordinates.full)
    place.foresee(count * size * 4 + size * 8)
    if not later:
        scale(place, coordinates)


def scale(place: Place, coordinates: Coordinates) -> None:
    """The scale of the weights.

    Raises:
        BadInput: another network of the file has more or fewer.
    """
    try:
        place.scale(
            "hessian/weight", np.arange(len(coordinates.full)), "1", "weight, in the order of the network's parameters"
        )
    except BadInput as error:
        raise BadInput(f"{error}, or without eigenvectors: --eigenvectors drop") from error


def write(place: Place, coordinates: Coordinates, vectors: Tensor) -> None:
    """(k, d) -> float32 (rank, weight) over all parameters that count, in registration order, 0 where none may move."""
    rows = torch.stack([coordinates.extend(vector) for vector in vectors])
    meaning = "unit eigenvectors of the largest eigenvalues"
    place.write(DATASET, rows.float(), ("rank", "weight"), "1", meaning)


def read(path: Path, coordinates: Coordinates) -> Tensor:
    """The eigenvectors (k, d) in `landscape.hessian`'s file, as coordinates; `tensors` of them have names and shapes.

    The file may be of another checkpoint of the same network, denser or sparser: what may not move here is left out.

    Raises:
        BadInput: not such a file, of several checkpoints, without eigenvectors, or of another network.
    """
    with opened(path, FORMAT, VERSION) as file:
        if DATASET not in file:
            raise BadInput(f"{path} holds no eigenvectors: make it with landscape.hessian, --eigenvectors keep")
        stored = torch.from_numpy(file[DATASET][()]).double()
    expected = len(coordinates.full)
    if stored.ndim != 2 or stored.shape[1] != expected:
        raise BadInput(
            f"{path} holds eigenvectors {tuple(stored.shape)}: expected (k, {expected}), "
            "of one checkpoint with this network's parameters"
        )
    return coordinates.restrict(stored.to(coordinates.full.device))
