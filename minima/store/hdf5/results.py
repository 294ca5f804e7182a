"""Results files: found again, created and completed, never mistaken for one another.

While a run lasts, a hidden `.part` beside its target, under a lock, is a journal of what is finished. The file is made
in memory and written once, when it is whole. Its root attributes say what it was made from; times are under `clock`
only. `python -m minima.results FILE.h5` prints one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.disk import discard
from minima.store.files import check_writable, digest, hold, part_path, scratches, tidy, write_atomically
from minima.store.hdf5.comparison import differences, same_content
from minima.store.hdf5.digest import seal
from minima.store.hdf5.opening import opened, verify
from minima.store.hdf5.part import CHECKPOINT, Place, Results
from minima.store.hdf5.progress import Image
from minima.store.hdf5.resuming import gone_on
from minima.store.hdf5.rows import Rows
from minima.store.hdf5.summaries import stored_summaries
from minima.store.journal import Journal
from minima.store.messages import BadInput
from minima.store.plain import plain
from minima.store.provenance import versions

if TYPE_CHECKING:
    import h5py

__all__ = [
    "Identity",
    "Place",
    "Results",
    "Rows",
    "create",
    "differences",
    "find",
    "follow",
    "in_memory",
    "same_content",
    "summary",
]

FORMAT = "minima-results"
VERSION = 2


@dataclass(frozen=True)
class Identity:
    """What determines the numbers in a file."""

    measure: str
    checkpoints: Sequence[str]
    """the SHA-256 of each checkpoint file"""
    arguments: Mapping[str, Any]

    @property
    def key(self) -> str:
        """One hash of everything that determines the numbers."""
        return digest(asdict(self))


def find(target: Path, identity: Identity, overwrite: bool = False) -> dict[str, Any] | None:
    """What `finish` returned for the finished file at `target` if it is this very result; None if the place is free.

    What a run left that was killed after the file was whole is removed.

    Returns:
        `{"checkpoints": [summary, ...]}`, each checkpoint's with its times.

    Raises:
        BadInput: something else is there, unless `overwrite`.
    """
    stored = _stored(target, identity, overwrite)
    if stored is not None:
        part = part_path(target, identity.key)
        tidy(target, part, *scratches(part))
    return stored


def _stored(target: Path, identity: Identity, overwrite: bool) -> dict[str, Any] | None:
    """As `find`, and nothing is removed."""
    if overwrite or not target.exists():
        return None
    advice = "Replace it with --overwrite, or name another output with -o"
    try:
        with opened(target, FORMAT, VERSION) as file:
            there = _identity(file)
            if there.key == identity.key:
                verify(target, FORMAT, VERSION)
                return stored_summaries(file)
    except BadInput as error:
        raise BadInput(f"{error}\n{advice}") from error
    raise BadInput(f"{target} holds another result: {_difference(there, identity)}.\n{advice}")


@contextmanager
def create(
    target: Path,
    identity: Identity,
    checkpoints: Sequence[str],
    provenance: Mapping[str, Any],
    overwrite: bool = False,
) -> Iterator[Results]:
    """A results file to fill; call its `finish` at the end of the block, which then gives it its name.

    A run that was stopped (Ctrl-C, an error, kill -9) leaves its finished rows in the `.part`, and the same call goes
    on from there. One that cannot be read, or was made by other software or settings, is discarded and said.

    Args:
        checkpoints: the names along the `checkpoint` axis, which exists from two on.
        provenance: further root attributes: seed, device, dtype, threads, samples, ...

    Raises:
        BadInput: `target` cannot be written, is being written, or holds something else and not `overwrite`.
    """
    check_writable(target)
    part = part_path(target, identity.key)
    with hold(target):
        _stored(target, identity, overwrite)  # again, now that nobody else can put something there
        with closing(Journal(part)) as journal:
            results = None
            try:
                results = gone_on(journal, _root(identity, checkpoints, provenance), checkpoints)
                results.target = target
                yield results
                if not results.finished:
                    raise RuntimeError(f"the results for {target} were not finished")
                seal(results.file)
                write_atomically(target, results.close())
                results.worth_keeping = False  # the file has it all
            finally:
                if results:
                    results.file.close()
                if not (results.worth_keeping if results else journal.size):
                    discard(part, *scratches(part))


def follow(image: Image, checkpoints: Sequence[str]) -> Results:
    """An unfinished results file in memory, for a process that shares the work of the one that writes it (see
    `Results.image`).
    """
    return Results(max(len(checkpoints), 1), image=image)


def in_memory() -> Place:
    """A place for one network's arrays that never reach the disk: what a function called from Python writes into.

    >>> place = in_memory()
    >>> place.write("hessian/trace", 2.0)
    >>> place.read("hessian/trace")
    array(2.)
    """
    return Results(1).place(0)


def summary(path: Path) -> dict[str, Any]:
    """The summaries in a finished file: `{"checkpoints": [...]}`, each checkpoint's with its times."""
    with opened(path, FORMAT, VERSION) as file:
        return stored_summaries(file)


def _identity(file: h5py.File) -> Identity:
    attributes = file.attrs
    return Identity(attributes["measure"], list(attributes["sha256"]), json.loads(attributes["arguments"]))


def _difference(there: Identity, asked: Identity) -> str:
    """The first few things that differ, in words."""
    if there.measure != asked.measure:
        return f"of {there.measure}, not {asked.measure}"
    if list(there.checkpoints) != list(asked.checkpoints):
        return f"made from another checkpoint ({_short(there.checkpoints)}, not {_short(asked.checkpoints)})"
    old, new = dict(there.arguments), plain(asked.arguments)
    changed = [
        f"{key} was {old.get(key)}, is {new.get(key)} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    return "made with other arguments: " + "; ".join(changed[:3]) + (" ..." if len(changed) > 3 else "")


def _short(hashes: Sequence[str]) -> str:
    return ", ".join(each[:12] for each in hashes[:3]) + (f" and {len(hashes) - 3} more" if len(hashes) > 3 else "")


def _root(identity: Identity, checkpoints: Sequence[str], provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The root attributes, plain: what the file was made from, and by what."""
    values = {
        "format": FORMAT,
        "version": VERSION,
        "measure": identity.measure,
        CHECKPOINT: list(checkpoints),
        "sha256": list(identity.checkpoints),
        "arguments": dict(identity.arguments),
        "versions": versions(),
        **provenance,
    }
    return {key: plain(value) for key, value in values.items() if value is not None}
