"""What a disk takes and what it refuses, in words: writes that are whole, room, links, removals."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minima.store.messages import BadInput, note

REASONS = {
    errno.ENOSPC: "there is no room left on its disk",
    errno.EDQUOT: "your quota on its disk is used up",
    errno.EFBIG: "it would be larger than files may be there",
    errno.EIO: "its disk fails (input/output error)",
    errno.EROFS: "its disk may only be read",
}
"""what keeps a file from being written, in words"""
LARGEST_WRITE = 2**30
"""bytes handed to the system at once: Linux takes no 2 GiB"""


class NotWritten(BadInput):
    """The system does not take what is to be written: a full disk, a quota, a disk that fails."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` inside the block into a message.

    Raises:
        NotWritten: the file, why, and what to type.
    """
    try:
        yield
    except BlockingIOError:  # somebody else has the lock, which says nothing of the disk
        raise
    except OSError as error:
        why = REASONS.get(error.errno or 0, error.strerror or str(error))
        raise NotWritten(
            f"{path} cannot be written: {why}.\n"
            "What is finished is kept: mend that and type the same line again, or name an output elsewhere with -o"
        ) from error


def followed(path: Path) -> Path:
    """The file that a user's `path` means: where it is a link, what that points to, be it there or not.

    Raises:
        BadInput: links that lead in a circle, or a working folder that is not there any more.
    """
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError) as error:
        raise BadInput(f"{path} is a link that leads nowhere ({error}). Name another output with -o") from error


def check_room(target: Path, size: int) -> None:
    """Before any work whose result has a size known by now: the disk of `target` has room for so many bytes.

    Raises:
        NotWritten: it has not; how much is needed, and how much there is.
    """
    with suppress(OSError):  # where the system does not tell, the write will
        disk = os.statvfs(followed(target).absolute().parent)
        free = disk.f_bavail * disk.f_frsize
        if size > free and disk.f_blocks:  # some file systems tell 0 of 0
            raise NotWritten(
                f"{target} needs {readable(size)} of room, and its disk has {readable(free)} left.\n"
                "Make room and type the same line again, or name an output elsewhere with -o"
            )


def readable(size: int) -> str:
    """A number of bytes as people read it, in KiB, MiB or GiB.

    >>> readable(100), readable(3 * 2**20), readable(2**40)
    ('100 bytes', '3 MiB', '1,024 GiB')
    """
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:,.4g} {name}" if size < 1000 * unit else f"{size / unit:,.0f} {name}"
    return f"{size} bytes"


def write_whole(descriptor: int, content: bytes | memoryview, offset: int = 0) -> None:
    """Write all of `content` at an offset of an open file, in as many pieces as the system makes of it."""
    rest = memoryview(content).cast("B")
    while rest:
        written = os.pwrite(descriptor, rest[:LARGEST_WRITE], offset)
        rest, offset = rest[written:], offset + written


def remove(path: Path) -> None:
    """Remove a file, or a folder with what is in it, if it is there.

    Raises:
        NotWritten: the disk does not let go of it.
    """
    with writing(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def discard(*paths: Path) -> None:
    """Remove what nobody needs any more, as `remove` does: that it cannot be removed is said, and does no harm."""
    for path in paths:
        try:
            remove(path)
        except NotWritten as refusal:
            error = refusal.__cause__
            note(f"{path} is not needed any more, but could not be removed ({getattr(error, 'strerror', error)})")
