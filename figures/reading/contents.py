"""What a results file holds, read once: enough to tell which figures can be drawn from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures.reading.measurements import Summary, stem
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in

if TYPE_CHECKING:
    from minima.store.hdf5.view import Group


@dataclass(frozen=True)
class Contents:
    """A results file without its numbers."""

    path: Path
    measure: str
    """the command that wrote it: sharpness, hessian, ..."""
    names: tuple[str, ...]
    """its checkpoints; () where several were measured at once, as a path's two ends are"""
    summaries: tuple[Summary, ...]
    arrays: frozenset[str]
    """what lies in the measure's group, such as `loss` or `fc1/counts`"""
    data: tuple[str, ...] = ()
    """of the checkpoints, as the file says it: of each, or of all at once"""

    @property
    def subjects(self) -> int:
        """How many networks or pairs there are to draw; the moments of a training count as one."""
        return len({stem(name) for name in self.names}) if self.moments else len(self.summaries)

    @property
    def moments(self) -> bool:
        """Whether it holds the moments of trainings."""
        return bool(self.names) and all("@" in name for name in self.names)


def contents(path: Path) -> Contents:
    """Look into a results file.

    Raises:
        BadInput: it is none.
    """
    with opened(path, FORMAT, VERSION) as file:
        measure = str(file.attrs["measure"])
        names, summaries = _strings(file.attrs["checkpoint"]), summaries_in(file)
        arrays = frozenset(_arrays(file[measure])) if measure in file else frozenset()
        data = tuple(data_of(file, row) for row in range(len(summaries)))
    return Contents(path, measure, names, tuple(summaries), arrays, data)


def data_of(file: Group, row: int) -> str:
    """The data that a checkpoint of an open file was measured on, as it is recorded; '' where it is not.

    Args:
        row: which of the file's checkpoints.
    """
    found = file.attrs.get("data", "")
    return str(found if isinstance(found, str) else found[row])


def spoken_data(recorded: str) -> str:
    """Data as people write them: their name, or their file's without its folder.

    >>> spoken_data('{"spec": "npz:/home/me/mine.npz", "root": null}'), spoken_data("digits")
    ('mine.npz', 'digits')
    """
    found = json.loads(recorded) if recorded.startswith("{") else {"spec": recorded}
    return str(found["spec"]).removeprefix("npz:").rpartition("/")[2]


def _strings(found: Any) -> tuple[str, ...]:
    return () if isinstance(found, str) else tuple(str(name) for name in found)


def _arrays(group: Any, above: str = "") -> Iterator[str]:
    """The names of all arrays below a group."""
    for key in group:
        item = group[key]
        if hasattr(item, "shape"):
            yield above + key
        else:
            yield from _arrays(item, f"{above}{key}/")
