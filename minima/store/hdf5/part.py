"""A results file while it is being filled: places for checkpoints, labelled arrays, rows that survive a kill -9.

Everything here works on the open `.part`; `minima.results` opens, completes and finds files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.files import scratch_path
from minima.store.hdf5.attributes import to_attribute
from minima.store.hdf5.labelled import fill_value, find_scale, make_scale, stored_type, to_array
from minima.store.messages import BadInput
from minima.store.plain import to_json

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

CHECKPOINT = "checkpoint"
"""the dimension of several checkpoints"""
CLOCK = "clock"
"""the group of times: what differs between two runs of the same work"""

OF_THE_RUN = ("passes", "memory_gib", "forward_backward_passes")
"""keys of a summary that another run of the same work may find otherwise"""


def is_of_the_run(key: str) -> bool:
    """Whether a summary's key tells of the run and not of what was found, and so belongs under `clock`.

    Durations and what is counted in them, the memory a run took, and the passes it did not find done.

    >>> [is_of_the_run(key) for key in ("seconds", "compile_seconds", "passes", "memory_gib", "forward_passes")]
    [True, True, True, True, False]
    """
    return key.endswith("seconds") or key in OF_THE_RUN


class Results:
    """An unfinished results file with one place for each checkpoint."""

    def __init__(self, file: h5py.File, places: int, resumed: bool, path: Path | None = None) -> None:
        self.file = file
        self.path = path
        """where it lies; None in memory"""
        self.places = places
        self.worth_keeping = resumed
        """whether it holds finished work, which a later run goes on from"""
        self.finished = False

    def place(self, index: int) -> Place:
        """Where the arrays of the checkpoint with this index go."""
        return Place(self, index)

    def done(self, index: int) -> bool:
        """Whether this checkpoint is measured, by this run or by one that was stopped."""
        return _done(index) in self.file.attrs

    def mark_done(self, index: int, summary: Mapping[str, Any]) -> None:
        """All arrays of this checkpoint are written; keep its numbers for the JSON object."""
        self.file.attrs[_done(index)] = to_json(summary)
        self.flush()

    def summary(self, index: int) -> dict[str, Any]:
        """What `mark_done` was given for this checkpoint."""
        return dict(json.loads(self.file.attrs[_done(index)]))

    def image(self) -> bytes:
        """The file's bytes as they are now."""
        self.file.flush()
        return bytes(self.file.id.get_file_image())

    def flush(self) -> None:
        """What is written so far survives a kill."""
        self.file.flush()
        self.worth_keeping = True

    def finish(self) -> dict[str, list[dict[str, Any]]]:
        """All checkpoints are measured: store their summaries, times apart, and return what `results.find` will.

        Raises:
            RuntimeError: a place is not done yet.
        """
        missing = [index for index in range(self.places) if not self.done(index)]
        if missing:
            raise RuntimeError(f"places {missing} of {self.file.filename} are not done")
        summaries = [json.loads(self.file.attrs[_done(index)]) for index in range(self.places)]
        self.file.attrs["summary"] = to_json(
            [{key: value for key, value in each.items() if not is_of_the_run(key)} for each in summaries]
        )
        clock = self.file.require_group(CLOCK)
        clock.attrs["summary"] = to_json(
            [{key: value for key, value in each.items() if is_of_the_run(key)} for each in summaries]
        )
        clock.attrs["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        for index in range(self.places):
            del self.file.attrs[_done(index)]
            self.file.attrs.pop(_kept(index), None)
        self.finished = True
        return stored_summaries(self.file)


class Place:
    """One checkpoint's place in a file. With several, every array gets a leading `checkpoint` axis of its own."""

    def __init__(self, results: Results, index: int) -> None:
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
        make_scale(self._file, name, labels, units, long_name)

    def kept(self) -> dict[str, Any]:
        """What `keep` was given for this checkpoint, by this run or by one that was stopped."""
        return dict(json.loads(self._file.attrs.get(_kept(self._index), "{}")))

    def keep(self, key: str, entry: Mapping[str, Any]) -> None:
        """A part of this checkpoint's summary, with the arrays written so far: from here on they survive a kill."""
        self._file.attrs[_kept(self._index)] = to_json(self.kept() | {key: entry})
        self._results.flush()

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
            units: `nat`, `bit`, `1` for what has none.
            long_name: what it is, in a few words.
            attributes: what else there is to say of it, the same for all checkpoints.
        """
        array = to_array(values)
        dataset = self._dataset(name, array.shape, array.dtype, dims, units, long_name)
        if not np.can_cast(array.dtype, dataset.dtype, "same_kind"):
            raise ValueError(f"{name} holds {dataset.dtype}; {array.dtype} would not fit: write one type always")
        dataset.attrs.update(attributes)
        dataset[self._own or ()] = array

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

    def forget(self, name: str) -> None:
        """What `scratch` named is not needed any more."""
        path = self.scratch(name)
        if path is not None:
            path.unlink(missing_ok=True)

    def worth_keeping(self) -> None:
        """There is finished work beside the file: a later run goes on from it."""
        self._results.worth_keeping = True

    def rows(self, name: str, shape: Sequence[int], dims: Sequence[str], units: str = "1", long_name: str = "") -> Rows:
        """A float64 array to be filled row by row, which a stopped run leaves for the next to go on with."""
        dataset = self._dataset(name, tuple(shape), np.dtype(np.float64), dims, units, long_name)
        return Rows(self._results, dataset, self._own)

    def attributes(self, group: str, **values: Any) -> None:
        """Attributes of a group; with several checkpoints an array of the checkpoints' values each."""
        attributes = self._file.require_group(group).attrs
        for key, value in values.items():
            if value is None:
                continue
            if not self._leading:
                attributes[key] = to_attribute(value)
                continue
            own = to_array(to_attribute(value))
            each = attributes.get(key, np.full(self._leading + own.shape, fill_value(own.dtype), own.dtype))
            if each.shape[1:] != own.shape:
                raise _differing(f"{group}'s {key}", own.shape)
            each = each.astype(np.result_type(each, own))  # 1 for one checkpoint may be 0.5 for another
            each[self._own] = own[()]
            attributes.create(key, each, dtype=stored_type(each.dtype))

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
        shape = self._leading + shape
        if name in self._file:
            if self._file[name].shape != shape:
                raise _differing(name, shape)
            return self._file[name]
        fill = np.full(shape, fill_value(dtype), dtype)
        dataset = self._file.create_dataset(name, data=fill, dtype=stored_type(dtype), track_times=False)
        for axis, dim in enumerate([CHECKPOINT] * len(self._leading) + list(dims)):
            scale = find_scale(dataset.parent, dim)
            if scale.shape != (shape[axis],):
                raise ValueError(f"axis {axis} of {name} has {shape[axis]} places, its scale {dim} {scale.shape}")
            dataset.dims[axis].attach_scale(scale)
        dataset.attrs.update(units=units, long_name=long_name)
        self._file.flush()  # the NaNs are in the file before the first row can be
        return dataset


class Rows:
    """A checkpoint's array, filled along its first axis; NaN where nothing is known yet."""

    def __init__(self, results: Results, dataset: h5py.Dataset, own: tuple[int, ...]) -> None:
        self._results, self._dataset, self._own = results, dataset, own

    @property
    def values(self) -> NDArray[np.float64]:
        """All rows, unfinished ones NaN."""
        return np.asarray(self._dataset[self._own or ()])

    def missing(self) -> list[int]:
        """Indices of the rows with a NaN in them: to be computed (again, where NaN is what was found)."""
        values = self.values
        return np.flatnonzero(np.isnan(values.reshape(len(values), -1)).any(axis=1)).tolist()

    def set(self, index: int | tuple[int | slice, ...], values: object) -> None:
        """A finished row, or with several indices a part of one or of several: from here on it survives a kill."""
        own = index if isinstance(index, tuple) else (index,)
        self._dataset[(*self._own, *own)] = to_array(values)
        self._results.flush()


def stored_summaries(file: h5py.File) -> dict[str, list[dict[str, Any]]]:
    """Each checkpoint's summary with its times, under `checkpoints`."""
    summaries = json.loads(file.attrs["summary"])
    times = json.loads(file[CLOCK].attrs["summary"])
    return {"checkpoints": [own | clock for own, clock in zip(summaries, times, strict=True)]}


def _done(index: int) -> str:
    return f"done:{index}"


def _kept(index: int) -> str:
    return f"kept:{index}"


def _differing(name: str, found: object) -> BadInput:
    return BadInput(
        f"the checkpoints differ in {name} (here {found}): their results do not fit into one array.\n"
        "Measure them one by one, each into its own file"
    )
