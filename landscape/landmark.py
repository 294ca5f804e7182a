"""Other networks on or near a surface: checkpoints that its plane goes through, moments of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from store.command import BadInput
from store.trajectory import load_step, read_steps

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from landscape.objective import Objective
    from zoo.subject import Reader, Subject


@dataclass(frozen=True)
class Snapshot:
    """A network's parameters and buffers by name, and its masks."""

    name: str
    state: Mapping[str, Tensor]
    masks: Mapping[str, Tensor]
    step: int = 0
    """of a trajectory"""


@dataclass(frozen=True)
class Landmark:
    """A network as seen from the one in the centre."""

    name: str
    displacement: Tensor
    """(d,) of the coordinates"""
    held: Mapping[str, Tensor]
    """what is no coordinate: running statistics"""
    step: int = 0


def checkpoints(paths: Sequence[Path], reader: Reader, centre: Subject) -> list[Snapshot]:
    """The networks in some checkpoint files, ours or foreign ones; the data must be those of the one in the centre."""
    subjects = [reader.read(path) for path in paths]
    for each in subjects:
        if each.x.shape != centre.x.shape or not torch.equal(each.x, centre.x):
            raise BadInput(
                f"{centre.name} and {each.name} were trained on different data or preprocessing: say which with --data"
            )
    return [Snapshot(each.path.name, each.model.state_dict(), each.masks) for each in subjects]


def moments(path: Path) -> list[Snapshot]:
    """The networks in a trajectory file, in the order of training."""
    kept = [(step, load_step(path, step)) for step in read_steps(path)]
    return [Snapshot(f"{path.name}@{step}", found.state, found.masks, step) for step, found in kept]


def union(subject: Subject, others: Sequence[Snapshot]) -> dict[str, Tensor]:
    """What the subject or any of the others kept (name -> bool, True = kept); without a name: all of it."""
    joined = dict(subject.masks)
    for other in others:
        both = joined.keys() & other.masks.keys()
        joined = {name: joined[name] | other.masks[name].to(subject.device) for name in both}
    return joined


def seen_from(objective: Objective, centre: str, other: Snapshot) -> Landmark:
    """Another network in the coordinates of `objective`, whose masks are those of the union.

    Raises:
        BadInput: it is of another architecture than the one in the `centre`.
    """
    own = {name: tuple(tensor.shape) for name, tensor in objective.model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in other.state.items()}
    differing = sorted(name for name in own.keys() | found.keys() if own.get(name) != found.get(name))
    if differing:
        name = differing[0]
        raise BadInput(
            f"no plane holds networks of different architecture: {name} is {own.get(name, 'absent')} in {centre} "
            f"and {found.get(name, 'absent')} in {other.name}"
        )
    state = {name: _kept(tensor, other.masks.get(name)).to(objective.x.device) for name, tensor in other.state.items()}
    coordinates = objective.coordinates
    displacement = coordinates.vector(state) - coordinates.point
    constants = [*coordinates.fixed, *(name for name, _ in objective.model.named_buffers())]
    held = {name: state[name] for name in constants if name in state and state[name].is_floating_point()}
    return Landmark(other.name, displacement, held, other.step)


def _kept(tensor: Tensor, mask: Tensor | None) -> Tensor:
    return tensor if mask is None else torch.where(mask.to(tensor.device), tensor, 0.0)
