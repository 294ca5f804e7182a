"""What a results file holds, read once: enough to tell which figures can be drawn from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.reading.measurements import Summary, stem
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION


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
        names, summaries = _strings(file.attrs["checkpoint"]), json.loads(file.attrs["summary"])
        arrays = frozenset(_arrays(file[measure])) if measure in file else frozenset()
    return Contents(path, measure, names, tuple(summaries), arrays)


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
