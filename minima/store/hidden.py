"""Hidden files of ours beside a target, whose names anybody can foresee: never what somebody else put there."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from minima.store.messages import BadInput


def open_hidden(path: Path) -> int:
    """A descriptor of a hidden file beside a target (a lock, an unfinished file), to read and write, made if need be.

    Raises:
        BadInput: a link, a pipe or a device lies there, another name of some file, or a file of another user's.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link; a pipe or socket that nobody reads
            raise _planted(path, "a link" if error.errno == errno.ELOOP else "no file") from error
        raise
    if trouble := not_ours(os.fstat(descriptor)):
        os.close(descriptor)
        raise _planted(path, trouble)
    return descriptor


def not_ours(facts: os.stat_result) -> str | None:
    """What an open file is that nobody of this user's put there as a file of its own; None where it is fine.

    One that was removed while it was being opened has no name left, and is fine.
    """
    if not stat.S_ISREG(facts.st_mode):
        return "no file"
    if facts.st_nlink > 1:
        return "another name of a file"
    if facts.st_uid != os.geteuid():
        return f"a file of user {facts.st_uid}"
    return None


def _planted(path: Path, what: str) -> BadInput:
    return BadInput(
        f"{path} is {what}, where a file of this command's own belongs: nothing was written through it.\n"
        f"Look at what it is, and remove it (rm), or name another output with -o"
    )
