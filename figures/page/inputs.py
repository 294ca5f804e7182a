"""From what was typed to results: files, folders of files, and checkpoints, whose results stand beside them."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.page.content.results import measured_hashes
from minima.store.files import readable
from minima.store.messages import BadInput
from minima.store.reading import sha256

MOMENTS = ".trajectory.h5"


@dataclass(frozen=True)
class Given:
    """What was typed, as files."""

    results: tuple[Path, ...]
    checkpoints: tuple[Path, ...]
    notes: tuple[str, ...]
    """what was left out, and why"""


def given(inputs: Sequence[Path]) -> Given:
    """Results files among the inputs, in the inputs' folders, and beside the inputs that are checkpoints.

    Raises:
        BadInput: an input is not there, or is neither a checkpoint nor a results file.
    """
    results: dict[Path, None] = {}
    checkpoints: list[Path] = []
    notes: list[str] = []
    for path in inputs:
        if path.is_dir():
            results |= dict.fromkeys(_whole(sorted(path.glob("*.h5")), notes))
            continue
        with readable(path):
            path.open("rb").close()
        if path.suffix == ".h5" and not path.name.endswith(MOMENTS):
            measured_hashes(path)
            results[path] = None
        else:
            checkpoints.append(path)
            results |= dict.fromkeys(_beside(path, notes))
    return Given(tuple(results), tuple(checkpoints), tuple(notes))


def _whole(paths: Sequence[Path], notes: list[str]) -> Iterator[Path]:
    """Those that hold results."""
    for path in paths:
        if not path.name.endswith(MOMENTS):
            try:
                measured_hashes(path)
                yield path
            except BadInput as error:
                notes.append(f"left out: {error}")


def _beside(checkpoint: Path, notes: list[str]) -> Iterator[Path]:
    """Results named after a checkpoint that are of this very file."""
    stem = checkpoint.name.removesuffix(".h5") if checkpoint.name.endswith(MOMENTS) else checkpoint.stem
    found = [*checkpoint.parent.glob(f"{glob.escape(stem)}.*.h5")]
    content = sha256(checkpoint)
    for path in _whole(sorted(found), notes):
        names, hashes = measured_hashes(path)
        if content in hashes:
            yield path
        elif checkpoint.name in names:
            notes.append(f"left out: {path} was measured of another {checkpoint.name} than the one that is there now")
