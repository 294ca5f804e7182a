"""Files that are read: regular ones only, opened once, and at the end what they were at the beginning."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from minima.store.files import open_regular
from minima.store.messages import BadInput

GRAIN = 10_000_000
"""nanoseconds: what is written within so many of each other may have one time of writing"""


@dataclass(frozen=True)
class State:
    """Which file it is, and when it was written: different after whatever change, also by renaming."""

    device: int
    inode: int
    size: int
    written: int
    changed: int

    @classmethod
    def of(cls, descriptor: int) -> State:
        """The state of an open file."""
        facts = os.fstat(descriptor)
        return cls(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


_SEEN: ContextVar[dict[Path, State] | None] = ContextVar("seen", default=None)
"""inside `unchanging`: the state of every file that was read"""


@contextmanager
def unchanging() -> Iterator[None]:
    """Inside the block every file is the same whenever it is read: what was hashed first is what is measured then.

    A file that `reading` finds in another state than before is refused. Not for files that the block writes itself.
    """
    token = _SEEN.set({} if (outer := _SEEN.get()) is None else outer)
    try:
        yield
    finally:
        _SEEN.reset(token)


@contextmanager
def reading(path: Path) -> Iterator[BufferedReader]:
    """The file, open for reading; all that is read of it comes from one state of one file.

    Raises:
        BadInput: it is not there, or no regular file (a pipe or device may never end); or it was written, or replaced
            by another one, while the block ran or, in `unchanging`, since it was read before.
    """
    with open_regular(path) as file:
        state = _settled(file.fileno())
        seen = _SEEN.get()
        if seen is not None and seen.setdefault(path.absolute(), state) != state:
            raise _changed(path)
        try:
            yield file
        except Exception as error:
            if State.of(file.fileno()) != state:
                raise _changed(path) from error
            raise
        if State.of(file.fileno()) != state:
            raise _changed(path)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, all of them; what `reading` refuses is refused."""
    with reading(path) as file:
        return file.read()


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; what `reading` refuses is refused."""
    with reading(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settled(descriptor: int) -> State:
    """The state once a change to come would show in it: of what was written just now, a moment later."""
    state = State.of(descriptor)
    if 0 <= time.time_ns() - max(state.written, state.changed) < GRAIN:
        time.sleep(GRAIN / 1e9)
    return State.of(descriptor)


def _changed(path: Path) -> BadInput:
    return BadInput(
        f"{path} was written or replaced while it was being read, and what was read may be of two files.\n"
        "Type the command again when nothing writes there"
    )
