"""Files that are never half-written: atomic writes, unfinished `.part`s, and locks that the kernel frees."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from minima.store.disk import discard, followed, write_whole, writing
from minima.store.hidden import open_hidden
from minima.store.messages import BadInput
from minima.store.plain import plain

KEY_LENGTH = 12


def digest(mapping: Mapping[str, Any]) -> str:
    """The SHA-256 of the mapping's canonical JSON: equal for equal content, whatever the order of the keys.

    >>> digest({"a": 1, "b": (2, 3)}) == digest({"b": [2, 3], "a": 1})
    True
    """
    text = json.dumps(plain(mapping), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the system's refusal to read `path` inside the block into a message."""
    try:
        yield
    except FileNotFoundError as error:
        raise BadInput(f"{path}: there is no such file{_neighbours(path)}") from error
    except IsADirectoryError as error:
        raise BadInput(f"{path} is a folder, expected a file{_contents(path)}") from error


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """A regular file, opened to read its bytes. What else is to be known of it is asked of its descriptor.

    A pipe, a socket or a device is refused at once instead of waited for; `follow=False` refuses a link as well.

    Raises:
        BadInput: there is no such file, it may not be read, or it is no regular file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        with readable(path):
            descriptor = os.open(path, flags)
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                return os.fdopen(descriptor, "rb")
            os.close(descriptor)
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        raise BadInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    raise BadInput(f"{path} is a {'pipe' if stat.S_ISFIFO(mode) else 'device'}, expected a regular file")


def check_writable(target: Path) -> None:
    """Before any work: the folder of `target` exists and takes files, and `target` itself is free or a plain file.

    Where `target` is a link, this is asked of what it points to, which is what will be written.
    """
    try:
        folder = followed(target).absolute().parent
    except FileNotFoundError as error:
        raise BadInput(
            f"{target}: the folder that you are in has been removed. Type: cd, to go to one that is there"
        ) from error
    if not folder.exists():
        raise BadInput(f"{target}: its folder does not exist. Type: mkdir -p {folder}")
    if not folder.is_dir():
        raise BadInput(f"{target}: {folder} is a file, expected a folder. Name another output with -o")
    if target.is_dir():
        raise BadInput(f"{target} is a folder, expected the name of a file: -o {target / 'NAME'}")
    if target.exists() and not target.is_file():
        raise BadInput(f"{target} is no plain file: replacing it would destroy it. Name another output with -o")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadInput(
            f"{target}: cannot write in {folder} ({error.strerror}).\nName an output elsewhere with -o"
        ) from error


def check_distinct(target: Path, inputs: Iterable[Path]) -> None:
    """The output is none of the inputs, under whatever name: it would be lost."""
    for path in inputs:
        if target.exists() and path.exists() and target.samefile(path):
            raise BadInput(f"{target} is what is to be read, and would be lost. Name another output with -o")


def part_path(target: Path, key: str) -> Path:
    """Where `target` grows until it is complete, by the work's `key` (a `digest` of what determines the result).

    >>> part_path(Path("out/x.h5"), "0123456789abcdef").name
    '.x.h5.0123456789ab.part'
    """
    target = followed(target)
    return target.with_name(f".{target.name}.{key[:KEY_LENGTH]}.part")


def scratch_path(part: Path, name: str) -> Path:
    """What belongs to an unfinished file, beside it.

    >>> scratch_path(Path("out/.x.h5.0123456789ab.part"), "0-spectrum").name
    '.x.h5.0123456789ab.0-spectrum.part'
    """
    return part.with_name(f"{part.stem}.{name}.part")


def scratches(part: Path) -> list[Path]:
    """The files beside an unfinished one that `scratch_path` named and that are there."""
    return list(part.parent.glob(f"{glob.escape(part.stem)}.*.part"))


def tidy(target: Path, *leftovers: Path) -> None:
    """Remove what a run leaves that is killed between giving `target` its name and its own end.

    Args:
        target: a finished file.
        leftovers: what belonged to it while it was unfinished, besides its lock.
    """
    there = [path for path in (sibling(followed(target)), *leftovers) if path.exists()]
    if there or _beside(target).exists():
        with suppress(BadInput), hold(target):  # somebody else holds it, then it is just ending; or we may only read
            discard(*there)


@contextmanager
def replacing(path: Path) -> Iterator[int]:
    """A descriptor to write the content of `path` to; at every moment there is the old file or the whole new one.

    The bytes grow in a hidden sibling, reach the disk, and take the name in one step at the end of the block. The
    sibling has a fixed name under a lock, so that what a killed writer leaves is overwritten by the next and two
    writers do not mix. Where `path` is a link, what it points to is replaced, and the link stays.

    Raises:
        NotWritten: the disk does not take it; `path` is as it was.
    """
    target = followed(path)
    growing = sibling(target)
    with writing(path):
        descriptor = _lock(growing, wait=True)
        try:
            os.ftruncate(descriptor, 0)
            yield descriptor
            os.fsync(descriptor)
            os.replace(growing, target)
        except BaseException:
            discard(growing)
            raise
        finally:
            os.close(descriptor)
        _sync_folder(target.parent)


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Make `path` a file with this content, as `replacing` does."""
    with replacing(path) as descriptor:
        write_whole(descriptor, content)


def sibling(path: Path) -> Path:
    """Where `replacing` lets the content of `path` grow; a kill -9 can leave it.

    >>> sibling(Path("runs/x.pt")).name
    '.x.pt.part'
    """
    return path.with_name(f".{path.name}.part")


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """The right to write `path` while the block runs: a lock on a hidden sibling, gone afterwards.

    The kernel frees it when the process ends in whatever way, kill -9 included.

    Raises:
        BadInput: another process holds it.
    """
    beside = _beside(path)
    try:
        with writing(path):
            descriptor = _lock(beside, wait=False)
    except BlockingIOError as error:
        raise BadInput(
            f"{path} is being written by {_holder(beside)}.\n"
            "Wait until it is done (its result will be reused), stop it, or name another output with -o"
        ) from error
    try:
        with writing(path):
            os.ftruncate(descriptor, 0)
            write_whole(descriptor, f"process {os.getpid()} on {os.uname().nodename}".encode())
        yield
    finally:
        discard(beside)  # while still locked: whoever waits for this inode sees that it is gone
        os.close(descriptor)


def _beside(path: Path) -> Path:
    """The lock of `path`: beside the file itself, so that two names of one file have one lock."""
    target = followed(path)
    return target.with_name(f".{target.name.removeprefix('.')}.lock")


def _holder(beside: Path) -> str:
    """Who says in the lock file that it writes; it may be gone just now, or not have said yet."""
    try:
        return beside.read_text() or "another process"
    except FileNotFoundError:
        return "another process"


def _lock(path: Path, wait: bool) -> int:
    """A descriptor of the file at `path`, created if need be, under an exclusive lock."""
    while True:
        descriptor = open_hidden(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder finished and removed or renamed it in between: this inode locks nothing


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems cannot sync a folder; the file itself is safe
    finally:
        os.close(descriptor)


def _neighbours(path: Path) -> str:
    """Files of the same kind in the folder, for whoever mistyped the name."""
    if not path.parent.is_dir():
        return f", nor its folder {path.parent.absolute()}"
    return _contents(path.parent, path.suffix)


def _contents(folder: Path, suffix: str = "") -> str:
    names = sorted(item.name for item in folder.iterdir() if item.suffix == suffix or not suffix)
    names = [name for name in names if not name.startswith(".")]
    if not names:
        return ""
    return f".\n{folder.absolute()} has {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
