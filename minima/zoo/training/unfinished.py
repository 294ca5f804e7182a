"""A long run's resumable state: a `.part` beside its target, held by a lock, gone when the target is complete."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch

from minima.store.archive import check_archive
from minima.store.checkpoints.checkpoint import Checkpoint, header, load
from minima.store.checkpoints.trajectory import FORMAT, VERSION, read_header
from minima.store.checkpoints.trajectory_writer import LostTrajectory, moments_of
from minima.store.checkpoints.unpickling import unpickle
from minima.store.command import BadInput, note
from minima.store.disk import discard, followed, remove
from minima.store.files import digest, hold, part_path, sibling, write_atomically
from minima.store.files import tidy as tidied
from minima.store.hdf5.opening import verify
from minima.store.interruptions import interruption
from minima.store.plain import to_json
from minima.store.reading import read_bytes
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
            content = read_bytes(self.part)
            check_archive(content, self.part)
            state: dict[str, Any] = unpickle(content, self.part)
            return state
        except Exception as error:
            if stop := interruption(error):
                raise stop from error
            note(f"discarding {self.part}, which cannot be read: {error}")
            remove(self.part)
            return None

    def begin(self, run: Callable[[], T]) -> T:
        """`run()`, which goes on from `load()`; from the start if the trajectory it kept so far is lost."""
        try:
            return run()
        except LostTrajectory:
            note(f"what the stopped run of {self.part} kept of its trajectory is gone: starting again")
            remove(self.part)
            return run()

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Save `state()` if the last save is some seconds old."""
        if time.monotonic() - self._saved >= SECONDS_BETWEEN_SAVES:
            self.save(state())

    def expire(self) -> None:
        """The next offer is due, however old the last save is."""
        self._saved = -math.inf

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state of the run, atomically."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomically(self.part, buffer.getbuffer())
        self._saved = time.monotonic()


@contextmanager
def unfinished(target: Path, identity: Mapping[str, Any]) -> Iterator[Unfinished]:
    """The `.part` of `target` for a run with these arguments, removed when the block ends without error.

    `target` is held meanwhile: a second run towards it, whatever its arguments, is told.
    """
    part = part_path(target, digest(identity))
    with hold(target):
        yield Unfinished(part)
        discard(part, sibling(part))  # a kill in the middle of a save leaves the second


def tidy(target: Path, identity: Mapping[str, Any]) -> None:
    """Remove what a run leaves that is killed between its last checkpoint and its end."""
    part, kept = part_path(target, digest(identity)), trajectory_path(target)
    tidied(target, *moments_of(kept), sibling(followed(kept)), part, sibling(part))


def reusable(target: Path, expected: Mapping[str, Any], overwrite: bool) -> Checkpoint | None:
    """The finished checkpoint at `target` if its fields are the `expected` ones; None if it has to be made.

    It has to be made again when the trajectory that belongs to it is gone. Anything else that is in the way, of the
    checkpoint or of its trajectory, is an error unless `overwrite`.
    """
    if overwrite:
        return None
    found = load(target) if target.exists() else None
    differing = _differing(header(found), expected) if found else []
    if differing:
        raise BadInput(f"{target} exists but was made with another {' and '.join(differing)}.\n{ADVICE}")
    if not expected["training"].get("keep"):
        return found
    kept = trajectory_path(target)
    if not kept.exists():
        return None
    _check_own(kept, expected)
    return found


def _check_own(kept: Path, expected: Mapping[str, Any]) -> None:
    """The trajectory that is there is that of this run, and whole."""
    try:
        verify(kept, FORMAT, VERSION)
        others = _differing(read_header(kept), expected)
    except BadInput as error:
        raise BadInput(f"{error}\n{ADVICE}") from error
    if others:
        raise BadInput(f"{kept} exists and is another run's.\n{ADVICE}")


def _differing(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """The fields of a checkpoint or of a trajectory that are not as expected."""

    def as_stored(value: Any) -> str:
        return digest({"": json.loads(to_json(value))})

    return [name for name, value in expected.items() if as_stored(found.get(name)) != as_stored(value)]
