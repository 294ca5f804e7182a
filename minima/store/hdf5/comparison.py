"""Whether two results files say the same: what "same bytes" of two results means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.hdf5.attributes import same_attribute
from minima.store.hdf5.digest import CLOCK

if TYPE_CHECKING:
    import h5py

REFERENCES = ("DIMENSION_LIST", "REFERENCE_LIST")
"""attributes that hold addresses inside the file; what they say is compared as names of dimensions"""


def same_content(one: Path, other: Path) -> bool:
    """Whether two HDF5 files have the same groups, arrays and attributes, bit for bit, outside the group `clock`."""
    return not differences(one, other)


def differences(one: Path, other: Path) -> list[str]:
    """The names of groups, arrays and attributes (`group@attribute`) that differ between two files."""
    import h5py

    with h5py.File(one, "r") as first, h5py.File(other, "r") as second:
        left, right = _entries(first), _entries(second)
    return [name for name in sorted(left | right) if name not in left or name not in right or left[name] != right[name]]


def _entries(file: h5py.File) -> dict[str, Any]:
    """Everything in the file that counts, in a form that == compares bit for bit."""
    found: dict[str, Any] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if name == CLOCK or name.startswith(f"{CLOCK}/"):
            return
        found[name or "/"] = _value(item)
        for key in item.attrs:
            if key not in REFERENCES:
                found[f"{name}@{key}"] = _Attribute(item.attrs[key])

    visit("", file)
    file.visititems(visit)
    return found


def _value(item: h5py.Group | h5py.Dataset) -> Any:
    if not hasattr(item, "dtype"):
        return "group"
    array = np.asarray(item[()])
    content = array.tolist() if array.dtype.kind == "O" else array.tobytes()
    dims = [[scale.name for scale in dim.values()] for dim in item.dims]
    return (str(item.dtype), item.shape, dims, content)


class _Attribute:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Attribute) and same_attribute(self.value, other.value)

    __hash__ = None  # type: ignore[assignment]
