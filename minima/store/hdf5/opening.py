"""Opening HDF5 files, seeing that those of ours are what was written, and saying in plain words what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minima.store.hdf5.process import Broken
from minima.store.hdf5.view import Group, Source
from minima.store.messages import BadInput, brief
from minima.store.reading import State, reading

BROKEN = (OSError, RuntimeError, LookupError, ValueError, TypeError, Broken)
"""what comes of files that are not whole"""
MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""what comes of numbers, shapes and names that are not what they are taken for"""
BEGINNING = b"\x89HDF\r\n\x1a\n"
"""the first bytes of an HDF5 file"""
OURS = "minima-"
"""how the formats of ours begin"""
NAMED = 8
"""damaged things of a file that are named"""
KEPT_OPEN = 8
_LAST: dict[State, Source] = {}
"""the files that were opened last, by what they were then"""


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 files do.

    Raises:
        BadInput: it is not there, or no regular file.
    """
    with reading(path) as file:
        return file.read(len(BEGINNING)) == BEGINNING


@contextmanager
def opened(path: Path, format_id: str | None = None, version: int | None = None) -> Iterator[Group]:
    """The file, open for reading, if its attributes `format` and `version` are these.

    libhdf5 runs in a process of its own. A file of ours carries digests: all but the values of its arrays is compared
    with them here, an array when its values are asked for.

    Raises:
        BadInput: it is no such file, is damaged, or was written or replaced while it was open.
    """
    with _source(path) as source:
        yield _checked(source, path, format_id, version)


def verify(path: Path, format_id: str, version: int) -> None:
    """Read all of a file of ours and see that it is what was written.

    Raises:
        BadInput: it is no such file, cannot be read, or is damaged, with the names of what: arrays, moments of a
            trajectory as `step_digest[i]`, `/` for all around the arrays, `clock` for the times.
    """
    with _source(path) as source:
        if not source.description["broken"]:
            _checked(source, path, format_id, version)
        damaged = source.verify()
    if damaged:
        more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
        raise BadInput(f"{path} is damaged, not what was written: {', '.join(damaged[:NAMED])}{more}")


@contextmanager
def taken_as_written(*paths: Path) -> Iterator[None]:
    """Take, inside the block, what was read of results files for what commands of the suite write.

    Their digests tell damage, and not who made them: whoever edits a file can give it digests that fit.

    Raises:
        BadInput: something in them is not what it is taken for; nothing else of what may go wrong with numbers, shapes
            and names leaves the block.
    """
    try:
        yield
    except MISFITS as error:
        named = ", ".join(map(str, paths[:NAMED])) + (f" and {len(paths) - NAMED} more" if len(paths) > NAMED else "")
        raise BadInput(
            f"what is in {named} does not fit together: {type(error).__name__}: {brief(error)}.\n"
            "A result as this version of the suite writes it does: make it again. Type --debug to see where it arose"
        ) from error


@contextmanager
def _source(path: Path) -> Iterator[Source]:
    try:
        with reading(path) as file, _source_of(file.fileno()).used() as source:
            yield source
    except BROKEN as error:
        if not is_hdf5(path):
            raise BadInput(f"{path} is no HDF5 file: {_said(error)}") from error
        raise BadInput(f"{path} is damaged: {_said(error)}. Copy or make it again") from error


def _source_of(descriptor: int) -> Source:
    """The file as its process has it, the last few of them from before: pictures open the same ones again and again."""
    state = State.of(descriptor)
    source = _LAST.pop(state, None)
    if source is None:
        same = [each for each in _LAST if (each.device, each.inode) == (state.device, state.inode)]
        idle = [each for each, there in _LAST.items() if not there.users]
        for old in {*same, *idle[: max(0, len(_LAST) + 1 - KEPT_OPEN)]}:  # libhdf5 would take the same for unchanged
            _LAST.pop(old).close()
        source = Source(descriptor)
    _LAST[state] = source
    return source


def _said(error: Exception) -> str:
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error).rstrip(".")


def _checked(source: Source, path: Path, format_id: str | None, version: int | None) -> Group:
    file = source.root
    if source.description["broken"]:
        raise BadInput(
            f"{path} is damaged: its names or attributes are not what was written. Copy or make it again.\n"
            f"Type python -m minima verify {path} for what is damaged"
        )
    found = file.attrs.get("format")
    if format_id is not None:
        _check_format(file, path, format_id, version)
    if isinstance(found, str) and found.startswith(OURS) and not source.description["sealed"]:
        raise BadInput(f"{path} is damaged: it lost the digest of its content. Copy or make it again")
    return file


def _check_format(file: Group, path: Path, format_id: str, version: int | None) -> None:
    found, number = file.attrs.get("format"), file.attrs.get("version")
    if found != format_id:
        raise BadInput(f"{path} is an HDF5 file, but its format is {found or 'foreign'}, expected {format_id}")
    if number != version:
        older = version is not None and str(number).isdigit() and int(str(number)) < version
        advice = "an older version: make it again" if older else "a newer version: update this one (git pull)"
        raise BadInput(
            f"{path} has version {number} of {format_id}, this version of the suite reads {version}.\n"
            f"It was written by {advice}"
        )
