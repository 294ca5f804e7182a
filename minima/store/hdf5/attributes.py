"""Attributes of HDF5 objects from plain values and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from minima.store.plain import as_utf8, plain, to_json


def to_attribute(value: Any) -> Any:
    """A value as h5py stores it: text and numbers as they are, lists of them as arrays, all else as JSON.

    >>> to_attribute({"grid": (51, 51)}), to_attribute([1, 2])
    ('{"grid": [51, 51]}', array([1, 2]))
    """
    value = plain(value)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return np.array([as_utf8(item) for item in value], dtype=object)
    if isinstance(value, list) and value and all(isinstance(item, bool | int | float) for item in value):
        return np.array(value)
    if isinstance(value, str):
        return as_utf8(value)
    return to_json(value) if isinstance(value, list | dict) or value is None else value


def same_attribute(one: Any, other: Any) -> bool:
    """Whether two attributes, as read by h5py, are equal; NaN equals NaN."""
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape or first.dtype.kind != second.dtype.kind:
        return False
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
