"""Arrays too large for memory, or for their float form to be in it: read and converted chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from minima.zoo.data.conversion import as_tensor, broken_in, check_finite
from minima.zoo.examples.inputs import Several
from minima.zoo.examples.lazy import Lazy

LARGEST = 2**30
"""bytes of inputs, as the network takes them, that are held in memory"""
SCANNED = 2**24
"""numbers that are looked at at once"""


def too_large(size: int) -> bool:
    """Whether inputs of so many bytes are better read in chunks: above 1 GiB, or half of the memory that is free."""
    return size > min(LARGEST, _free() // 2)


def bytes_of(shape: tuple[int, ...], whole: bool) -> int:
    """What an array takes as the network has it: float32, or int64."""
    return int(np.prod(shape, dtype=np.float64)) * (8 if whole else 4)


def is_stored(given: Any) -> bool:
    """Whether an array, or the arrays of one split, are to be read in chunks; what is float32 in memory stays so."""
    each = list(given.values()) if isinstance(given, Mapping) else list(given) if isinstance(given, tuple) else [given]
    if not all(hasattr(array, "dtype") and hasattr(array, "shape") for array in each):
        return False
    sizes = [bytes_of(tuple(array.shape), _kind(array) in "iu") for array in each if not _as_it_is(array)]
    return too_large(sum(sizes))


def stored(given: Any, where: str) -> Lazy:
    """The array, dict or tuple of arrays with one leading axis as inputs that are read when they are asked for.

    Raises:
        BadInput: some of its values are NaN or infinite.
    """
    single = not isinstance(given, Mapping | tuple)
    named = given.items() if isinstance(given, Mapping) else enumerate((given,) if single else given)
    for name, array in named:
        check_stored(array, where if single else f"{where}.{name}")

    def read(rows: Tensor) -> Any:
        if single:
            return rows_of(given, rows, where)
        if isinstance(given, Mapping):
            return Several({name: rows_of(array, rows, where) for name, array in given.items()})
        return Several(tuple(rows_of(array, rows, where) for array in given))

    return Lazy(read, torch.arange(len(given if single else next(iter(dict(named).values()), ()))))


def rows_of(array: Any, rows: Tensor, where: str) -> Tensor:
    """Some examples of an array, as they lie, in memory of their own."""
    if torch.is_tensor(array):
        return array[rows]
    wanted: Any = rows.numpy()
    if len(wanted) and (np.diff(wanted) == 1).all():
        return as_tensor(array[int(wanted[0]) : int(wanted[-1]) + 1], where)
    ascending, places = np.unique(wanted, return_inverse=True)  # as an array of h5py asks for
    return as_tensor(array[ascending][places], where)


def check_stored(array: Any, where: str) -> None:
    """Look through an array for what is not finite, chunk by chunk."""
    if _kind(array) != "f":
        return
    size = max(1, SCANNED // max(1, int(np.prod(array.shape[1:]))))
    total, start = 0, None
    for first in range(0, len(array), size):
        rows = torch.arange(first, min(first + size, len(array)))
        count, at = broken_in(rows_of(array, rows, where), first)
        total, start = total + count, at if start is None else start
    check_finite((total, start), where)


def _kind(array: Any) -> str:
    """The letter of numpy for a type of numbers."""
    if torch.is_tensor(array):
        return "f" if array.is_floating_point() else "b" if array.dtype == torch.bool else "i"
    return str(array.dtype.kind)


def _as_it_is(array: Any) -> bool:
    """Whether it lies in memory as the network takes it."""
    if torch.is_tensor(array):
        return array.dtype in (torch.float32, torch.int64, torch.bool)
    in_memory = isinstance(array, np.ndarray) and not isinstance(array, np.memmap)
    return in_memory and array.dtype in (np.float32, np.int64, np.bool_)


def _free() -> int:
    """Bytes of memory that are free, those that hold copies of files among them."""
    try:
        with open("/proc/meminfo", encoding="ascii") as facts:
            found = dict(line.split(":", 1) for line in facts)
        return int(found["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
