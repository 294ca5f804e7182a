"""Results files as a page needs them: the one place where it reads HDF5."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.reading.measurements import Summary, moment, stem
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in

ORIGIN = ("arguments", "data", "model", "split", "samples", "seed", "device", "dtype", "threads", "versions", "notes")
"""root attributes that say where a number comes from"""


@dataclass(frozen=True)
class Result:
    """What one command found of one checkpoint, or of some checkpoints together."""

    path: Path
    measure: str
    name: str
    """the checkpoint's; of several together, the file's"""
    names: tuple[str, ...]
    """of all checkpoints in the file, once each; () where it does not say them"""
    sha256: tuple[str, ...]
    """of the checkpoint's file; of several together, theirs"""
    summary: Summary
    arrays: Mapping[str, NDArray[Any]]
    """those that a section asked for, by their names in the measure's group"""
    units: Mapping[str, str]
    """of every array in the measure's group"""
    origin: Mapping[str, Any]
    """the root's attributes that say where the numbers come from"""
    together: bool
    """whether it is of several checkpoints at once"""

    @property
    def moment(self) -> int | None:
        """The moment of a training; None of a finished network."""
        return moment(self.name)

    @property
    def stem(self) -> str:
        """The checkpoint's name without ending and moment."""
        return stem(self.name)


def read_results(path: Path, wanted: Mapping[str, Sequence[str]]) -> list[Result]:
    """One result for each checkpoint of a file.

    Args:
        wanted: for each measure the names of arrays to read; `*` stands for any part.

    Raises:
        BadInput: it is no results file, or is damaged.
    """
    with opened(path, FORMAT, VERSION) as file:
        measure = str(file.attrs["measure"])
        names, hashes = (_list(file.attrs[key]) for key in ("checkpoint", "sha256"))
        summaries = summaries_in(file)
        together = len(names) != len(summaries)
        said = [str(name) for name in file.attrs.get("together", ())] if together else names
        names = [path.name.removesuffix(".h5")] if together else names
        origin = {key: _plain(file.attrs[key]) for key in ORIGIN if key in file.attrs}
        found = dict(_arrays(file[measure])) if measure in file else {}
        values = _wanted(found, wanted.get(measure, ()))
        units = {name: str(each.attrs.get("units", "1")) for name, each in found.items()}
        origin["arguments"] = _typed(origin.get("arguments"))
    several = not together and len(names) > 1
    return [
        Result(
            path,
            measure,
            name,
            tuple(dict.fromkeys(each.partition("@")[0] for each in said)),
            tuple(hashes) if together else (hashes[row],),
            summary,
            {key: array[row] if several and not scale else array for key, (array, scale) in values.items()},
            units,
            origin,
            together,
        )
        for row, (name, summary) in enumerate(zip(names, summaries, strict=True))
    ]


def measured_hashes(path: Path) -> tuple[list[str], list[str]]:
    """The checkpoints' names and hashes that a results file says; BadInput for what is none."""
    with opened(path, FORMAT, VERSION) as file:
        return _list(file.attrs["checkpoint"]), _list(file.attrs["sha256"])


def _list(found: Any) -> list[str]:
    """An attribute's strings; none where it is the text of an empty list."""
    return json.loads(found) if isinstance(found, str) else [str(each) for each in found]


def _plain(found: Any) -> Any:
    if isinstance(found, str):
        try:
            return json.loads(found) if found[:1] in "{[" else found
        except ValueError:
            return found
    return found.tolist() if hasattr(found, "tolist") else found


def _wanted(found: Mapping[str, Any], patterns: Sequence[str]) -> dict[str, tuple[NDArray[Any], bool]]:
    """Arrays of these names, and whether each is a scale, which all checkpoints of a file share."""
    return {
        name: (np.asarray(each[()]), bool(each.is_scale))
        for name, each in found.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def _typed(arguments: Any) -> dict[str, Any]:
    """The flags that decided the numbers; none of a file that does not say them as a table."""
    return arguments if isinstance(arguments, dict) else {}


def _arrays(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for key in group:
        item = group[key]
        if hasattr(item, "shape"):
            yield above + key, item
        else:
            yield from _arrays(item, f"{above}{key}/")
