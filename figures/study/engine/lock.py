"""The lock of a workflow run, held by the run and by every job it started.

A `flock` belongs to an open file description, so whoever inherits the descriptor holds it too, and the kernel frees
it with its last holder, whatever killed that. Snakemake starts its shell jobs with `close_fds=True`, which closes
every inherited descriptor but the three standard ones: the lock travels as standard input (for a job, an empty file).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from minima.store.hidden import open_hidden

PATIENCE = 1.0
"""seconds between two attempts"""


def acquire(path: Path, tell: Callable[[str], None], patience: float = PATIENCE) -> IO[bytes]:
    """Hold the lock at `path`; while others hold it, name them and wait. Pass the file on as stdin.

    An engine whose starter was killed goes on starting jobs: those are not named, one line a job would say nothing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.fdopen(open_hidden(path), "rb+")
    if _try(file):
        return file
    for process, command in sorted(holders(path).items()):
        tell(f"waiting for process {process} of an earlier run, which still works: {command}")
    while not _try(file):
        time.sleep(patience)
    return file


def _try(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holders(path: Path) -> dict[int, str]:
    """Processes whose standard input is the lock, with their command lines; {} where there is no /proc."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) != os.getpid() and os.path.samefile(entry / "fd" / "0", path):
                words = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                found[int(entry.name)] = _shorten(b" ".join(words).decode(errors="replace"))
        except OSError:
            continue  # gone meanwhile, or somebody else's
    return found


def _shorten(command: str, width: int = 100) -> str:
    return command if len(command) <= width else command[: width - 1] + "…"
