"""Mutants of results and trajectories as somebody forges them: edited with a tool, and given digests that fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.faults.mutants_values import PLAIN, changed, plain

if TYPE_CHECKING:
    import h5py

VALUES: dict[str, Callable[[Any], Any]] = {
    "no number": lambda a: np.full(a.shape, np.nan),
    "infinite": lambda a: np.full(a.shape, np.inf),
    "zeros": np.zeros_like,
    "negative": lambda a: -1 - np.abs(a.astype(float)),
    "huge": lambda a: np.full(a.shape, 1e300),
    "2^62": lambda a: np.full(a.shape, 2**62),
    "text": lambda a: np.full(a.shape, b"x"),
    "scalar": lambda _: np.array(3.0),
    "none": lambda a: a.reshape(-1)[:0],
    "fewer": lambda a: a[: len(a) // 2] if a.ndim else a,
    "more": lambda a: np.concatenate([a, a]) if a.ndim else np.array([1.0, 2.0]),
    "one more axis": lambda a: a[None],
    "flat": lambda a: a.reshape(-1),
    "bool": lambda a: a.astype(bool),
    "complex": lambda a: a.astype(complex),
}
"""of arrays of numbers"""
DECLARED, CHUNK = (2**11, 2**12), (2**10, 2**10)
"""the shapes of an array of which nothing is stored, and of its pieces"""
LINKING = ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME")
"""attributes by which arrays and their scales know each other"""
SHORT = 60_000
"""bytes of an attribute that the format takes"""


def sealed(content: bytes, draw: Random) -> tuple[str, bytes]:
    """A few changes, with the digests of what came of them."""
    from minima.store.hdf5.digest import seal
    from minima.store.hdf5.memory import in_memory
    from minima.store.hdf5.opening import MISFITS

    with in_memory(content) as file:
        said = [_change(file, draw) for _ in range(draw.choice([1, 1, 1, 2, 3]))]
        called = "sealed"
        try:
            seal(file)
        except MISFITS:  # such a file has no digests that fit
            called = "unsealed"
        file.flush()
        return f"{called} {'; '.join(said)[:120]}", file.id.get_file_image()


def _change(file: h5py.File, draw: Random) -> str:
    names: list[str] = []
    file.visit(names.append)
    if draw.random() < 0.5 or not names:
        return _attribute(file[draw.choice(["/", "/", *names])], draw)
    name = draw.choice(names)
    what = draw.choice(["delete", "rename", "group", "declared", "values", "values", "values", "values"])
    if what == "values":
        what = _values(file, name, draw)
    elif what == "rename":
        file.move(name, f"{name}x")
    else:
        _remove(file, name)
        if what == "group":
            file.create_group(name)
        elif what == "declared":
            file.create_dataset(name, DECLARED, np.float64, chunks=CHUNK)
    return f"{name}: {what}"


def _values(file: h5py.File, name: str, draw: Random) -> str:
    """Another array in the place of one, its attributes kept; of a group, its attributes."""
    import h5py

    item = file[name]
    if not isinstance(item, h5py.Dataset):
        return _attribute(item, draw)
    values, kept = np.asarray(item[()]), dict(item.attrs)
    numbers = [
        key for key in VALUES if values.dtype.kind in "biuf" or key in ("scalar", "none", "fewer", "more", "flat")
    ]
    kind = draw.choice(numbers)
    _remove(file, name)
    made = file.create_dataset(name, data=VALUES[kind](values))
    for key, value in kept.items():
        if key not in LINKING:
            made.attrs[key] = value
    return kind


def _remove(file: h5py.File, name: str) -> None:
    """An array or group, and the links between arrays and scales that lead there."""
    import h5py

    below = f"{file[name].name}/"
    arrays: list[h5py.Dataset] = []
    file.visititems(lambda _, item: arrays.append(item) if isinstance(item, h5py.Dataset) else None)
    for array in arrays:
        for axis in array.dims:
            for scale in list(axis.values()):
                if any(f"{each.name}/".startswith(below) for each in (array, scale)):
                    axis.detach_scale(scale)
    del file[name]


def _attribute(item: Any, draw: Random) -> str:
    """One of an item's, deleted or replaced; in one that holds JSON, a place of it."""
    keys = [key for key in item.attrs if key not in (*LINKING, "digest")]
    if not keys:
        return "nothing"
    key = draw.choice(keys)
    value = item.attrs[key]
    if isinstance(value, str) and value[:1] in ("{", "[") and draw.random() < 0.8:
        said, tree = changed(json.loads(value), draw, plain)
        item.attrs[key] = json.dumps(tree)[:SHORT]
        return f"{key} {said}"
    kind = draw.choice(["delete", *PLAIN])
    del item.attrs[key]
    if kind != "delete":
        item.attrs[key] = _storable(PLAIN[kind]())
    return f"{key} {kind}"


def _storable(value: Any) -> Any:
    """As an attribute can hold it."""
    if isinstance(value, str):
        return value.replace("\0", "")[:SHORT]
    plain_number = isinstance(value, bool | float) or (isinstance(value, int) and value < 2**63)
    return value if plain_number else json.dumps(value)[:SHORT]
