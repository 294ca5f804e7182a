"""An array that is filled row by row, each of which survives a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from minima.store.hdf5 import changes
from minima.store.hdf5.labelled import to_array

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from minima.store.hdf5.changes import Change


class Changed(Protocol):
    """What `Rows` needs of the unfinished file that it fills: see `minima.store.hdf5.part.Results`."""

    worth_keeping: bool
    """whether a later run can go on from what is there"""

    def change(self, change: Change) -> None:
        """Make a change in the file; it survives a kill from the moment this returns."""


class Rows:
    """A checkpoint's array, filled along its first axis; NaN where nothing is known yet."""

    def __init__(self, results: Changed, dataset: h5py.Dataset, name: str, own: tuple[int, ...]) -> None:
        self._results, self._dataset, self._name, self._own = results, dataset, name, own

    @property
    def values(self) -> NDArray[np.float64]:
        """All rows, unfinished ones NaN."""
        return np.asarray(self._dataset[self._own or ()])

    def missing(self) -> list[int]:
        """Indices of the rows with a NaN in them: to be computed (again, where NaN is what was found)."""
        values = self.values
        return np.flatnonzero(np.isnan(values.reshape(len(values), -1)).any(axis=1)).tolist()

    def set(self, index: int | tuple[int | slice, ...], values: object) -> None:
        """Write a finished row, or with several indices a part of one or more: from here on it survives a kill."""
        own = index if isinstance(index, tuple) else (index,)
        self._results.change(changes.values(self._name, (*self._own, *own), to_array(values)))
        self._results.worth_keeping = True
