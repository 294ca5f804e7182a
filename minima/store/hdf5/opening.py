"""Opening HDF5 files of ours, and saying in plain words why one cannot be opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from minima.store.files import readable
from minima.store.messages import BadInput

if TYPE_CHECKING:
    import h5py

BROKEN = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""what h5py raises on files that are not whole"""


@contextmanager
def opened(path: Path, format_id: str | None = None, version: int | None = None) -> Iterator[h5py.File]:
    """The file, open for reading, if its attributes `format` and `version` are these; else a BadInput."""
    import h5py

    with readable(path), path.open("rb"):
        pass
    try:
        with h5py.File(path, "r") as file:
            if format_id is not None:
                _check_format(file, path, format_id, version)
            yield file
    except BROKEN as error:
        raise BadInput(f"{path} is no HDF5 file, or is damaged: {error}") from error


def _check_format(file: h5py.File, path: Path, format_id: str, version: int | None) -> None:
    found = file.attrs.get("format")
    if found != format_id:
        raise BadInput(f"{path} is an HDF5 file, but its format is {found or 'foreign'}, expected {format_id}")
    if file.attrs["version"] != version:
        raise BadInput(
            f"{path} has version {file.attrs['version']} of {format_id}, this version of the suite reads {version}.\n"
            "It was written by a newer version: update this one (git pull)"
        )
