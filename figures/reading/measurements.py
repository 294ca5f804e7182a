"""Results of one measure under any name, for a figure to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from minima.store.command import BadInput
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in

if TYPE_CHECKING:
    from minima.store.hdf5.view import Group


Summary = dict[str, Any]
Read = TypeVar("Read")


@contextmanager
def result(path: Path, measure: str, package: str) -> Iterator[tuple[Group, list[Summary]]]:
    """The open file, and its summaries: of each checkpoint, or the one of checkpoints that were measured together.

    Raises:
        BadInput: it holds a result of something else than `package`.`measure`.
    """
    with opened(path, FORMAT, VERSION) as file:
        found = file.attrs["measure"]
        if found != measure:
            raise BadInput(f"{path} holds a result of {found}; this figure is drawn from {package}.{measure}")
        yield file, summaries_in(file)


@contextmanager
def measured(path: Path, measure: str, package: str) -> Iterator[tuple[Group, list[tuple[str, Summary]]]]:
    """The open file, and the name and summary of each of its checkpoints; `result` says what is refused."""
    with result(path, measure, package) as (file, summaries):
        yield file, list(zip([str(name) for name in file.attrs["checkpoint"]], summaries, strict=True))


def read_chosen(
    inputs: Sequence[Path],
    measure: str,
    package: str,
    names: Sequence[str],
    read: Callable[[Group, Any, str, Summary], Read],
) -> list[Read]:
    """What `read` makes of each checkpoint in some files, all or those of these names.

    It is given the measure's group, the index of the checkpoint's part of the arrays, its name without an ending, and
    its summary; while the file is open, so that what is missing in it is said of the file.
    """
    found: list[Read] = []
    for path in inputs:
        with measured(path, measure, package) as (file, checkpoints):
            several = len(checkpoints) > 1
            for index, (name, summary) in enumerate(checkpoints):
                if not names or name in names:
                    found.append(read(file[measure], index if several else (), stem(name), summary))
    return found


def stem(name: str) -> str:
    """A checkpoint's name without an ending, and without the moment.

    >>> stem("net.trajectory.h5@40"), stem("net.pt")
    ('net', 'net')
    """
    return name.partition("@")[0].removesuffix(".pt").removesuffix(".trajectory.h5")


def moment(name: str) -> int | None:
    """The moment of a training that a checkpoint's name says; None of a finished network.

    >>> moment("net.trajectory.h5@40"), moment("net.pt")
    (40, None)
    """
    behind = name.partition("@")[2]
    return int(behind) if behind.isdigit() else None
