"""A results file while it is being filled: places for checkpoints, labelled arrays, rows that survive a kill -9.

The file itself is in memory until it is finished. On the disk grows a journal of the changes that made it, each a
record with a checksum, so that a kill at whatever moment costs the change that was being written and nothing before it.
Everything here works on the open file; `minima.store.hdf5.results` opens, completes and finds files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.disk import check_room, discard, readable
from minima.store.files import scratch_path
from minima.store.hdf5 import changes, gathered
from minima.store.hdf5.attributes import to_attribute
from minima.store.hdf5.changes import Change
from minima.store.hdf5.gathered import Gathered
from minima.store.hdf5.labelled import to_array
from minima.store.hdf5.memory import in_memory
from minima.store.hdf5.progress import Image, Progress, done, kept
from minima.store.hdf5.rows import Rows
from minima.store.hdf5.summaries import store_summaries, stored_summaries
from minima.store.memory import GIB, TOLD
from minima.store.messages import BadInput, note

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from minima.store.journal import Journal

CHECKPOINT = "checkpoint"
"""the dimension of several checkpoints"""
NAT = "nat"
TWICE = 2
"""an array lies in the journal and, at the end, in the file as well"""


class Results:
    """An unfinished results file with one place for each checkpoint.

    Args:
        places: how many checkpoints.
        journal: takes every change; None for a file that nobody goes on with.
        image: what to go on from.
    """

    def __init__(self, places: int, journal: Journal | None = None, image: Image | None = None) -> None:
        self.file = in_memory(image.content if image else None)
        self.progress = image.progress if image else Progress()
        self.places = places
        self.gathered = Gathered(self.file, places)
        self.worth_keeping = False
        """whether there is finished work, which a later run goes on from"""
        self.finished = False
        self.target: Path | None = None
        """the file that this becomes; None in memory"""
        self._journal = journal
        self._told = False  # how large the file will be

    @property
    def path(self) -> Path | None:
        """Where the journal lies; None in memory."""
        return None if self._journal is None else self._journal.path

    def place(self, index: int, loss_unit: str = NAT) -> Place:
        """Where the arrays of the checkpoint with this index go, whose loss is in this unit."""
        return Place(self, index, loss_unit)

    def change(self, change: Change) -> None:
        """Make a change, which survives a kill from here on."""
        self.make(change)
        if self._journal is not None:
            self._journal.add(*change.record())

    def make(self, change: Change) -> None:
        """Make a change that is in the journal, or need not be."""
        if not self.progress.make(change) and not self.gathered.make(change):
            change.make(self.file)

    def check_room(self, size: int) -> None:
        """Raise a BadInput if the disk has no room for arrays of so many bytes; there always is in memory."""
        if self.target is not None:
            check_room(self.target, TWICE * size)

    def foresee(self, size: int) -> None:
        """Say how large the file will be, where that is much: each checkpoint's arrays will take so many bytes.

        Raises:
            NotWritten: its disk has no room for it and for the journal.
        """
        if self.target is not None:
            whole, to_come = self.places * size, (self.places - len(self.progress.done)) * size
            if whole >= TOLD * GIB and not self._told:
                note(f"{self.target} will take {readable(whole)} of its disk")
                self._told = True
            check_room(self.target, whole + to_come)

    def done(self, index: int) -> bool:
        """Whether this checkpoint is measured, by this run or by one that was stopped."""
        return index in self.progress.done

    def mark_done(self, index: int, summary: Mapping[str, Any]) -> None:
        """Keep the numbers of a checkpoint for the JSON object: all its arrays are written."""
        self.change(done(index, summary))
        self.worth_keeping = True

    def summary(self, index: int) -> dict[str, Any]:
        """What `mark_done` was given for this checkpoint."""
        return dict(self.progress.done[index])

    def image(self) -> Image:
        """The file as it is now."""
        self.gathered.write()
        self.file.flush()
        return Image(self.file.id.get_file_image(), self.progress)

    def close(self) -> bytes:
        """The bytes of the finished file; there are no more changes."""
        content = self.image().content
        self.file.close()
        return content

    def finish(self) -> dict[str, list[dict[str, Any]]]:
        """Store the summaries of all checkpoints, times apart, and return what `results.find` will.

        Raises:
            RuntimeError: a place is not done yet.
        """
        missing = [index for index in range(self.places) if not self.done(index)]
        if missing:
            raise RuntimeError(f"places {missing} of {self.path or 'a file in memory'} are not done")
        summaries = [self.summary(index) for index in range(self.places)]
        self.gathered.write()
        store_summaries(self.file, summaries)
        self.finished = True
        return stored_summaries(self.file)


class Place:
    """One checkpoint's place in a file. With several, every array gets a leading `checkpoint` axis of its own.

    Args:
        loss_unit: of the loss that is measured: what is written in `NAT`, the unit of most losses, is in this one.
    """

    def __init__(self, results: Results, index: int, loss_unit: str = NAT) -> None:
        self._loss_unit = loss_unit
        self._results, self._index = results, index
        self._file = results.file
        self._own = (index,) if results.places > 1 else ()
        self._leading = (results.places,) if results.places > 1 else ()

    def scale(self, name: str, values: Sequence[Any] | NDArray[Any], units: str, long_name: str) -> None:
        """A dimension scale, such as `surface/alpha` or `psp/conv1/neuron`: the labels along a dimension.

        Raises:
            BadInput: another checkpoint of this file has other labels there.
        """
        labels = to_array(values)
        if name in self._file:
            if not np.array_equal(to_array(self._file[name][()]), labels):
                raise _differing(name, len(labels))
            return
        self._results.check_room(labels.nbytes)
        self._results.change(changes.scale(name, labels, units, long_name))

    def kept(self) -> dict[str, Any]:
        """What `keep` was given for this checkpoint, by this run or by one that was stopped."""
        return dict(self._results.progress.kept.get(self._index, {}))

    def keep(self, key: str, entry: Mapping[str, Any]) -> None:
        """A part of this checkpoint's summary, with the arrays written so far: from here on they survive a kill."""
        self._results.change(kept(self._index, {key: entry}))
        self._results.worth_keeping = True

    def write(
        self,
        name: str,
        values: object,
        dims: Sequence[str] = (),
        units: str = "1",
        long_name: str = "",
        **attributes: str,
    ) -> None:
        """An array, such as `hessian/eigenvalues` with dims ("rank",); what was written there before is replaced.

        Args:
            dims: one name for each axis, looked up as a scale in the array's own group, then in its parents.
            units: `nat` (which stands for that of the loss, whatever it is), `bit`, `1` for what has none.
            long_name: what it is, in a few words.
            attributes: what else there is to say of it, the same for all checkpoints.
        """
        array = to_array(values)
        dataset = self._dataset(name, array.shape, array.dtype, dims, units, long_name)
        if not np.can_cast(array.dtype, dataset.dtype, "same_kind"):
            raise ValueError(f"{name} holds {dataset.dtype}; {array.dtype} would not fit: write one type always")
        for key, value in attributes.items():
            self._results.change(changes.attribute(name, key, value))
        self._results.change(changes.values(name, self._own, array))

    def read(self, name: str) -> NDArray[Any]:
        """What this checkpoint wrote to `name`."""
        return np.asarray(self._file[name][self._own or ()])

    def arrays(self, group: str) -> dict[str, NDArray[Any]]:
        """Everything in a group of a file that holds a single network: arrays and scales by name."""
        return {name: np.asarray(each[()]) for name, each in self._file[group].items()}

    def scratch(self, name: str) -> Path | None:
        """Where to keep what only a stopped run needs, beside the unfinished file and gone with it; None in memory.

        Who writes there says so with `worth_keeping`.
        """
        path = self._results.path
        return None if path is None else scratch_path(path, f"{self._index}-{name}")

    def check_room(self, size: int) -> None:
        """Before they are computed: raise a BadInput if the disk has no room for arrays of so many bytes."""
        self._results.check_room(size)

    def foresee(self, size: int) -> None:
        """Say before the work that its arrays will take so many bytes, those of the other checkpoints as many each.

        The size of the file is said where it is much, and refused where its disk has no room.
        """
        self._results.foresee(size)

    @property
    def places(self) -> int:
        """How many checkpoints the results file is for."""
        return self._results.places

    def forget(self, name: str) -> None:
        """What `scratch` named is not needed any more."""
        path = self.scratch(name)
        if path is not None:
            discard(path)

    def worth_keeping(self) -> None:
        """There is finished work beside the file: a later run goes on from it."""
        self._results.worth_keeping = True

    def rows(self, name: str, shape: Sequence[int], dims: Sequence[str], units: str = "1", long_name: str = "") -> Rows:
        """A float64 array to be filled row by row, which a stopped run leaves for the next to go on with."""
        dataset = self._dataset(name, tuple(shape), np.dtype(np.float64), dims, units, long_name)
        return Rows(self._results, dataset, name, self._own)

    def attributes(self, group: str, **values: Any) -> None:
        """Attributes of a group; with several checkpoints an array of the checkpoints' values each."""
        for key, value in values.items():
            if value is None:
                continue
            whole = to_attribute(value)
            if not self._leading:
                self._results.change(changes.attribute(group, key, whole))
                continue
            own = to_array(whole)
            if self._results.gathered.shape(group, key) not in (None, own.shape):
                raise _differing(f"{group}'s {key}", own.shape)
            self._results.change(gathered.own(group, key, self._index, own))

    def _dataset(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        dims: Sequence[str],
        units: str,
        long_name: str,
    ) -> h5py.Dataset:
        """The array at `name` with room for all checkpoints, made and filled with what is no number if need be."""
        if len(dims) != len(shape):
            raise ValueError(f"{name} has shape {shape} and {len(dims)} dimension names: {tuple(dims)}")
        shape, units = self._leading + shape, self._loss_unit if units == NAT else units
        if name in self._file:
            there = self._file[name]
            if there.shape != shape:
                raise _differing(name, shape)
            return there
        self._results.check_room(math.prod(shape) * dtype.itemsize)
        axes = [CHECKPOINT] * len(self._leading) + list(dims)
        self._results.change(changes.array(name, shape, dtype, axes, units, long_name))
        return self._file[name]


def _differing(name: str, found: object) -> BadInput:
    return BadInput(
        f"the checkpoints differ in {name} (here {found}): their results do not fit into one array.\n"
        "Measure them one by one, each into its own file"
    )
