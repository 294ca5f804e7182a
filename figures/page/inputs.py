"""From what was typed to results: files, folders of files, and checkpoints, whose results lie in the same folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from figures.page.content.results import measured_hashes
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.files import readable
from minima.store.messages import BadInput

MOMENTS = ".trajectory.h5"


@dataclass(frozen=True)
class Given:
    """The files and checkpoints that were typed."""

    results: dict[Path, frozenset[str] | None]
    """results files; of one that was found beside checkpoints, the hashes of those that it is shown for, else None"""
    checkpoints: tuple[Path, ...]
    notes: tuple[str, ...]
    """what was left out, and why"""

    def shows(self, path: Path, hashes: Sequence[str]) -> bool:
        """Whether a result of these checkpoints in a file is to be shown."""
        wanted = self.results[path]
        return wanted is None or bool(wanted & set(hashes))


def given(inputs: Sequence[Path]) -> Given:
    """Results files among the inputs, in the inputs' folders, and beside the inputs that are checkpoints.

    Raises:
        BadInput: an input is not there, or is neither a checkpoint nor a results file.
    """
    named: dict[Path, frozenset[str] | None] = {}
    checkpoints: list[Path] = []
    notes: list[str] = []
    for path in inputs:
        if path.is_dir():
            named.update(dict.fromkeys(_whole(sorted(path.glob("*.h5")), notes)))
            continue
        with readable(path):
            path.open("rb").close()
        if path.suffix == ".h5" and not path.name.endswith(MOMENTS):
            measured_hashes(path)
            named[path] = None
        else:
            checkpoints.append(path)
    return Given(_beside(checkpoints, notes) | named, tuple(checkpoints), tuple(notes))


def _whole(paths: Sequence[Path], notes: list[str]) -> Iterator[Path]:
    """Those that hold results."""
    for path in paths:
        if not path.name.endswith(MOMENTS):
            try:
                measured_hashes(path)
                yield path
            except BadInput as error:
                notes.append(f"left out: {error}")


def _beside(checkpoints: Sequence[Path], notes: list[str]) -> dict[Path, frozenset[str] | None]:
    """Results in the checkpoints' folders that are of these very files, alone or with others, whatever their names."""
    found: dict[Path, frozenset[str] | None] = {}
    look = cache(_look)
    for checkpoint in checkpoints:
        content = content_hash(checkpoint)
        for path, known in look(checkpoint.parent).items():
            if isinstance(known, BadInput):
                if path.name.startswith(f"{_stem(checkpoint)}."):
                    notes.append(f"left out: {known}")
                continue
            names, hashes = known
            if content in hashes:
                found[path] = frozenset({content}) | (found.get(path) or frozenset())
            elif checkpoint.name in names:
                words = f"{path} was measured of another {checkpoint.name} than the one that is there now"
                notes.append(f"left out: {words}")
    return found


def _look(folder: Path) -> dict[Path, tuple[list[str], list[str]] | BadInput]:
    """The names and hashes in each results file of a folder, and what is the matter with the others."""
    found: dict[Path, tuple[list[str], list[str]] | BadInput] = {}
    for path in sorted(folder.glob("*.h5")):
        if not path.name.endswith(MOMENTS):
            try:
                found[path] = measured_hashes(path)
            except BadInput as error:
                found[path] = error
    return found


def _stem(checkpoint: Path) -> str:
    return checkpoint.name.removesuffix(".h5") if checkpoint.name.endswith(MOMENTS) else checkpoint.stem
