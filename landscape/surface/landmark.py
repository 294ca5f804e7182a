"""Other networks on or near a surface: checkpoints that its plane goes through, moments of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landscape.objective.comparable import (
    check_same_data,
    check_same_function,
    check_same_shapes,
    under_every_name,
    zeroed,
)
from minima.store.checkpoints.trajectory import load_step, read_steps

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from landscape.objective.objective import Objective
    from minima.zoo.subject.subject import Reader, Subject

REFUSAL = "no plane holds networks of different architecture"


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
        check_same_data(centre, each)
    return [snapshot(each, centre) for each in subjects]


def snapshot(subject: Subject, centre: Subject) -> Snapshot:
    """Another network, as what a plane through the one in the `centre` goes through.

    Raises:
        BadInput: the one in the centre computes something else with its weights.
    """
    check_same_function(REFUSAL, centre, subject)
    masks = under_every_name(subject.masks, subject.model)
    return Snapshot(subject.path.name, subject.model.state_dict(), masks)


def moments(path: Path) -> list[Snapshot]:
    """The networks in a trajectory file, in the order of training."""
    kept = [(step, load_step(path, step)) for step in read_steps(path)]
    return [Snapshot(f"{path.name}@{step}", found.state, found.masks, step) for step, found in kept]


def seen_from(objective: Objective, centre: str, other: Snapshot) -> Landmark:
    """Another network in the coordinates of `objective`, whose masks are those of the union.

    Raises:
        BadInput: it is of another architecture than the one in the `centre`.
    """
    check_same_shapes(REFUSAL, centre, objective.model.state_dict(), other.name, other.state)
    left = zeroed(other.state, other.masks)
    state = {name: tensor.to(objective.x.device) for name, tensor in left.items()}
    coordinates = objective.coordinates
    displacement = coordinates.vector(state) - coordinates.point
    constants = [*coordinates.fixed, *(name for name, _ in objective.model.named_buffers())]
    held = {name: state[name] for name in constants if name in state and state[name].is_floating_point()}
    return Landmark(other.name, displacement, held, other.step)
