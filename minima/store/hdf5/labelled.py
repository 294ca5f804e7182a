"""Arrays in an HDF5 file as netCDF knows them: with scales that label their dimensions, and what stands for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.plain import as_utf8

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray


def make_scale(file: h5py.Group, name: str, labels: NDArray[Any], units: str, long_name: str) -> h5py.Dataset:
    """A dimension scale in the netCDF sense: a 1-D array that arrays refer to and that is named as their dimension."""
    scale = file.create_dataset(name, data=labels, dtype=stored_type(labels.dtype), track_times=False)
    scale.make_scale(name.rpartition("/")[2])
    scale.attrs.update(units=units, long_name=long_name)
    return scale


def find_scale(group: h5py.Group, dim: str) -> h5py.Dataset:
    """The scale of this name in the group or the nearest parent, from where it is copied into the group.

    Copied because xarray labels a group with the coordinates in that very group.
    """
    holder = group
    while dim not in holder:
        if holder.name == "/":
            raise ValueError(f"{group.name} has no scale {dim}, nor has a parent: make it first")
        holder = holder.parent
    if holder.name != group.name:
        scale = holder[dim]
        make_scale(group, dim, to_array(scale[()]), scale.attrs["units"], scale.attrs["long_name"])
    return group[dim]


def to_array(values: Any) -> NDArray[Any]:
    """Values as an array; text as objects, which h5py stores as UTF-8; torch's tensors from whatever device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    array = array.astype(object) if array.dtype.kind == "U" else array
    if array.dtype.kind == "O":
        text = [item.decode() if isinstance(item, bytes) else as_utf8(str(item)) for item in array.flat]
        return np.array(text, dtype=object).reshape(array.shape)
    return array


def fill_value(dtype: np.dtype[Any]) -> Any:
    """What stands where nothing is known: NaN, for integers the extreme value, for text nothing.

    >>> fill_value(np.dtype("float64")), fill_value(np.dtype("int64")) < 0
    (nan, True)
    """
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max
    return {"f": np.nan, "b": False}.get(dtype.kind, "")


def stored_type(dtype: np.dtype[Any]) -> Any:
    """What h5py stores an array of this type as."""
    import h5py

    return h5py.string_dtype() if dtype.kind == "O" else dtype
