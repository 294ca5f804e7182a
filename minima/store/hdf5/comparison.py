"""Whether two results files say the same: what "same bytes" of two results means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minima.store.hdf5.attributes import same_attribute
from minima.store.hdf5.digest import CLOCK
from minima.store.hdf5.opening import opened
from minima.store.hdf5.view import Dataset, Group


def same_content(one: Path, other: Path) -> bool:
    """Whether two HDF5 files have the same groups, arrays and attributes, bit for bit, outside the group `clock`."""
    return not differences(one, other)


def differences(one: Path, other: Path) -> list[str]:
    """The names of groups, arrays and attributes (`group@attribute`) that differ between two files."""
    with opened(one) as first, opened(other) as second:
        left, right = _entries(first), _entries(second)
    return [name for name in sorted(left | right) if name not in left or name not in right or left[name] != right[name]]


def _entries(file: Group) -> dict[str, Any]:
    """Everything in the file that counts, in a form that == compares bit for bit."""
    found: dict[str, Any] = {}
    items: list[Group | Dataset] = [file, *file.groups(), *file.arrays()]
    for item in items:
        name = item.name.strip("/")
        if name.partition("/")[0] != CLOCK:
            found[name or "/"] = _value(item)
            found |= {f"{name}@{key}": _Attribute(value) for key, value in item.attrs.items()}
    return found


def _value(item: Group | Dataset) -> Any:
    if isinstance(item, Group):
        return "group"
    array = np.asarray(item[()])
    content = array.tolist() if array.dtype.kind == "O" else array.tobytes()
    return (str(item.dtype), item.shape, item.dims, item.is_scale, content)


class _Attribute:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Attribute) and same_attribute(self.value, other.value)

    __hash__ = None  # type: ignore[assignment]
