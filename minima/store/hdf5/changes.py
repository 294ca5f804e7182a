"""Changes of a results file, one after the other: made in the file, and as records that make them again.

There are four: a scale, an empty array, values in one, an attribute. Everything that a measure writes is made of them,
so that the file that a stopped run was filling is what its changes make of an empty one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minima.store.hdf5.labelled import fill_value, find_scale, make_scale, stored_type

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

Index: TypeAlias = tuple[int | slice, ...]


@dataclass(frozen=True, eq=False)
class Change:
    """One step from an empty file to a full one."""

    kind: str
    """what is done: one of `KINDS`, or what the owner of the file makes of it"""
    about: dict[str, Any]
    """plain: where and how"""
    value: NDArray[Any] | str | None = None
    """numbers, truth values, or text as objects"""

    def record(self) -> tuple[bytes | memoryview, ...]:
        """The change as bytes: a line of JSON, then the values as they lie in memory."""
        head: dict[str, Any] = {"kind": self.kind, "about": self.about}
        if self.value is None or isinstance(self.value, str):
            return (json.dumps(head | {"text": self.value}).encode() + b"\n",)
        head["shape"] = list(self.value.shape)
        if self.value.dtype.kind == "O":
            return (json.dumps(head | {"texts": self.value.reshape(-1).tolist()}).encode() + b"\n",)
        values = np.ascontiguousarray(self.value)
        line = json.dumps(head | {"dtype": values.dtype.str}).encode() + b"\n"
        return (line, values.reshape(-1).view(np.uint8).data) if values.size else (line,)

    @classmethod
    def of(cls, record: bytes) -> Change:
        """The change that a record is of."""
        line, _, content = record.partition(b"\n")
        head = json.loads(line)
        value: Any = head.get("text")
        if "texts" in head:
            value = np.array(head["texts"], dtype=object).reshape(head["shape"])
        elif "dtype" in head:
            value = np.frombuffer(content, head["dtype"]).reshape(head["shape"])
        return cls(head["kind"], head["about"], value)

    def make(self, file: h5py.File) -> None:
        """Make the change in an open file."""
        KINDS[self.kind](file, self.about, self.value)


def scale(name: str, labels: NDArray[Any], units: str, long_name: str) -> Change:
    """The change that makes a new dimension scale."""
    return Change("scale", {"name": name, "units": units, "long_name": long_name}, labels)


def array(
    name: str, shape: Sequence[int], dtype: np.dtype[Any], dims: Sequence[str], units: str, long_name: str
) -> Change:
    """The change that makes a new array, filled with what is no number; `dims` are names of scales that are there."""
    about = {"name": name, "shape": list(shape), "dtype": dtype.str, "dims": list(dims)}
    return Change("array", about | {"units": units, "long_name": long_name})


def values(name: str, index: Index, new: NDArray[Any]) -> Change:
    """The change that puts values at a place in an array that is there."""
    places = [[each.start, each.stop, each.step] if isinstance(each, slice) else int(each) for each in index]
    return Change("values", {"name": name, "index": places}, new)


def attribute(name: str, key: str, value: Any) -> Change:
    """The change that sets an attribute of a group, which is made if it is not there, or of an array."""
    return Change("attribute", {"name": name, "key": key}, value if isinstance(value, str) else np.asarray(value))


def _make_scale(file: h5py.File, about: dict[str, Any], value: Any) -> None:
    make_scale(file, about["name"], value, about["units"], about["long_name"])


def _make_array(file: h5py.File, about: dict[str, Any], _: Any) -> None:
    name, shape, dtype = about["name"], tuple(about["shape"]), np.dtype(about["dtype"])
    fill = np.full(shape, fill_value(dtype), dtype)
    dataset = file.create_dataset(name, data=fill, dtype=stored_type(dtype), track_times=False)
    for axis, dim in enumerate(about["dims"]):
        label = find_scale(dataset.parent, dim)
        if label.shape != (shape[axis],):
            raise ValueError(f"axis {axis} of {name} has {shape[axis]} places, its scale {dim} {label.shape}")
        dataset.dims[axis].attach_scale(label)
    dataset.attrs.update(units=about["units"], long_name=about["long_name"])


def _set_values(file: h5py.File, about: dict[str, Any], value: Any) -> None:
    index = tuple(slice(*each) if isinstance(each, list) else each for each in about["index"])
    file[about["name"]][index] = value


def _set_attribute(file: h5py.File, about: dict[str, Any], value: Any) -> None:
    holder = file[about["name"]] if about["name"] in file else file.require_group(about["name"])
    if isinstance(value, str):
        holder.attrs[about["key"]] = value
    else:
        holder.attrs.create(about["key"], value, dtype=stored_type(value.dtype))


KINDS = {"scale": _make_scale, "array": _make_array, "values": _set_values, "attribute": _set_attribute}
