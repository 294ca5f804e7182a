"""Flags of `python -m landscape.stability`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass

from landscape.objective.flags import Landscape
from minima.store.checkpoints.trajectory import is_trajectory
from minima.store.command import BadInput


@dataclass(frozen=True, kw_only=True)
class Stability(Landscape):
    """Flags of `python -m landscape.stability`."""

    tolerance: float = 1e-3
    """relative error allowed in the largest eigenvalue"""
    batches: int = 64
    """batches drawn for the batch sharpness, each of the size that training used"""


def check(arguments: Stability) -> None:
    """Refuse flags that mean nothing, and files that are no trajectories, before a network is read."""
    if arguments.split != "train":
        raise BadInput(f"--split {arguments.split}: training goes down the loss of the train split. Leave --split out")
    if arguments.batches < 1 or not arguments.tolerance > 0:
        flag = "--batches" if arguments.batches < 1 else "--tolerance"
        raise BadInput(f"{flag}: expected a number above 0")
    for path in arguments.checkpoints:
        if path.is_file() and not is_trajectory(path):
            raise BadInput(
                f"{path} is no trajectory, and what is asked is what happened on the way.\n"
                "Train with --keep 10 --keep-unit step, and name the file NAME.trajectory.h5"
            )
