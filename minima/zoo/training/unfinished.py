"""A long run's resumable state: a `.part` beside its target, held by a lock, gone when the target is complete."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import torch

from minima.store.checkpoints.checkpoint import Checkpoint, load
from minima.store.checkpoints.trajectory import LostTrajectory
from minima.store.command import BadInput, note
from minima.store.files import digest, hold, part_path, sibling, write_atomically
from minima.zoo.training.keeping import trajectory_path

SECONDS_BETWEEN_SAVES = 5.0
ADVICE = "Name another file with -o, or replace it with --overwrite"

T = TypeVar("T")


class Unfinished:
    """The state saved last, and when the next save is due."""

    def __init__(self, part: Path) -> None:
        self.part = part
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state a stopped run left, or None. One that cannot be read is discarded and said."""
        if not self.part.exists():
            return None
        try:
            return torch.load(self.part, weights_only=True)
        except Exception as error:
            note(f"discarding {self.part}, which cannot be read: {error}")
            self.part.unlink()
            return None

    def begin(self, run: Callable[[], T]) -> T:
        """`run()`, which goes on from `load()`; from the start if the trajectory it kept so far is lost."""
        try:
            return run()
        except LostTrajectory:
            note(f"what the stopped run of {self.part} kept of its trajectory is gone: starting again")
            self.part.unlink()
            return run()

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Save `state()` if the last save is some seconds old."""
        if time.monotonic() - self._saved >= SECONDS_BETWEEN_SAVES:
            self.save(state())

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state of the run, atomically."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.part, buffer.getvalue())
        self._saved = time.monotonic()


@contextmanager
def unfinished(target: Path, identity: Mapping[str, Any]) -> Iterator[Unfinished]:
    """The `.part` of `target` for a run with these arguments, removed when the block ends without error.

    `target` is held meanwhile: a second run towards it, whatever its arguments, is told.
    """
    part = part_path(target, digest(identity))
    with hold(target):
        yield Unfinished(part)
        part.unlink(missing_ok=True)
        sibling(part).unlink(missing_ok=True)  # a kill in the middle of a save leaves it


def tidy(target: Path, identity: Mapping[str, Any]) -> None:
    """Remove what a run leaves that is killed between its last checkpoint and its end."""
    if part_path(target, digest(identity)).exists():
        with suppress(BadInput), unfinished(target, identity):  # somebody else holds it: then it is just ending
            pass


def reusable(target: Path, expected: Mapping[str, Any], overwrite: bool) -> Checkpoint | None:
    """The finished checkpoint at `target` if its fields are the `expected` ones; None if it has to be made.

    It has to be made again when the trajectory that belongs to it is gone. Anything else that is in the way, of the
    checkpoint or of its trajectory, is an error unless `overwrite`.
    """
    kept = trajectory_path(target) if expected["training"].get("keep") else None
    if overwrite:
        return None
    if not target.exists():
        ours = part_path(target, digest(expected)).exists()
        if kept is not None and kept.exists() and not ours:
            raise BadInput(f"{kept} exists and is another run's.\n{ADVICE}")
        return None
    found = load(target)
    differing = [name for name, value in expected.items() if digest({"": getattr(found, name)}) != digest({"": value})]
    if differing:
        raise BadInput(f"{target} exists but was made with another {' and '.join(differing)}.\n{ADVICE}")
    return found if kept is None or kept.exists() else None
