"""Attributes that hold a value for each checkpoint: gathered one by one, and written when a file is finished.

An array of all values that is written anew for each checkpoint would grow with their number squared, in the file and in
the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.hdf5.changes import Change, attribute
from minima.store.hdf5.labelled import fill_value

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

KIND = "own attribute"
"""of a change"""


class Gathered:
    """The values so far, by group and attribute; where nothing is known, what is no number."""

    def __init__(self, file: h5py.File, places: int) -> None:
        self._file, self._places = file, places
        self._values: dict[tuple[str, str], NDArray[Any]] = {}

    def shape(self, name: str, key: str) -> Sequence[int] | None:
        """The shape of one checkpoint's value of an attribute; None while no checkpoint has one."""
        there = self._there(name, key)
        return None if there is None else there.shape[1:]

    def make(self, change: Change) -> bool:
        """Make a change, if it is one of these."""
        if change.kind != KIND:
            return False
        name, key, own = change.about["name"], change.about["key"], np.asarray(change.value)
        each = self._there(name, key)
        if each is None:
            each = np.full((self._places, *own.shape), fill_value(own.dtype), own.dtype)
        kind = np.result_type(each, own)  # 1 for one checkpoint may be 0.5 for another
        each = each if each.dtype == kind else each.astype(kind)
        each[change.about["index"]] = own[()]
        self._values[name, key] = each
        return True

    def write(self) -> None:
        """Write all values into the file."""
        for (name, key), values in self._values.items():
            attribute(name, key, values).make(self._file)
        self._values.clear()

    def _there(self, name: str, key: str) -> NDArray[Any] | None:
        if (name, key) not in self._values and name in self._file and key in self._file[name].attrs:
            self._values[name, key] = np.array(self._file[name].attrs[key])
        return self._values.get((name, key))


def own(name: str, key: str, index: int, value: NDArray[Any]) -> Change:
    """The value that an attribute has for the checkpoint with this index."""
    return Change(KIND, {"name": name, "key": key, "index": index}, value)
