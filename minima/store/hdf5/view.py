"""An HDF5 file as its readers see it: groups, arrays and attributes, looked at with h5py's words, through a process.

Names, shapes, types and attributes are there from the opening; values are asked for when an array is indexed.
"""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

from minima.store.hdf5 import wire
from minima.store.hdf5.process import Process, conversation
from minima.store.plain import nested_deeper
from minima.store.room import allowed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Index = int | slice | tuple[int | slice | Any, ...] | Any

_KEYS = count()
DEEPEST = 64
"""levels of JSON in an attribute; ours have a few"""


class Source:
    """An open HDF5 file, wherever the process that reads it is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._key = os.dup(descriptor), next(_KEYS)
        self._release = weakref.finalize(self, os.close, self._descriptor)
        self.users = 0
        self._known_to: Process | None = None
        with conversation() as process:
            self.description = self._introduce(process)

    @cached_property
    def root(self) -> Group:
        """The group `/`, as it is described: looked through once, however often the file is opened.

        Raises:
            ValueError, KeyError, TypeError: it describes none.
        """
        return _root_of(self)

    def verify(self) -> list[str]:
        """The names of what is not as it was sealed; everything is read."""
        with conversation() as process:
            self._introduce(process)
            process.ask(file=self._key, do="verify")
            return [str(each) for each in process.answer()["damaged"]]

    def read(self, name: str, box: Sequence[tuple[int, int]], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The values in a box of an array: a start and a stop for each axis."""
        import numpy as np

        shape = tuple(stop - start for start, stop in box)
        values = np.empty(math.prod(shape), dtype)
        if not values.size:
            return values.reshape(shape)
        room = memoryview(b"") if dtype.kind == "O" else memoryview(values.view(np.uint8).data)
        done = 0
        with conversation() as process:
            self._introduce(process)
            process.ask(file=self._key, do="read", name=name, box=box)
            while done < values.size:
                message = process.answer(room)
                texts = message.get("texts", [])
                count = len(texts) or message["size"] // dtype.itemsize
                if not 0 < count <= values.size - done:
                    raise ValueError(f"{count} values of {name} more than there should be")
                if texts:
                    values[done : done + count] = texts
                done, room = done + count, room[message["size"] :]
        return values.reshape(shape)

    @contextmanager
    def used(self) -> Iterator[Source]:
        """The file, to be closed by nobody inside the block."""
        self.users += 1
        try:
            yield self
        finally:
            self.users -= 1

    def close(self) -> None:
        """Let the process go of it, and let go of it oneself unless it is being read."""
        if self._known_to is not None and self._known_to.running:
            with conversation() as process:
                if process is self._known_to:
                    process.ask(file=self._key, do="close")
        self._known_to = None
        if not self.users:
            self._release()

    def _introduce(self, process: Process) -> dict[str, Any]:
        """Hand over the file, unless this very process has it."""
        if process is self._known_to:
            return {}
        process.ask(self._descriptor, file=self._key, do="open", memory=int(allowed() * 2**30))
        self._known_to = process
        return process.answer()


@dataclass(frozen=True, eq=False)
class Item:
    """What lies in an HDF5 file: a group or an array."""

    name: str
    """from the root, `/surface/loss`"""
    attrs: Mapping[str, Any]
    """as h5py reads them: text, numbers, arrays of numpy's"""


@dataclass(frozen=True, eq=False)
class Dataset(Item):
    """An array; index it for its values, which come as an array of numpy's, or a number: `[()]` for all of them."""

    source: Source
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """of text: object"""
    dims: tuple[tuple[str, ...], ...]
    """for each axis the names, from the root, of the scales that label it"""
    is_scale: bool
    """whether it labels the axes of others"""

    def __getitem__(self, index: Index) -> Any:
        """The values at integers, slices forward, and `...`, as numpy understands them."""
        if isinstance(index, str):
            raise TypeError(f"{self.name.strip('/')} is an array, not a group")
        box, rest = _boxed(index, self.shape, self.name)
        return self.source.read(self.name, box, self.dtype)[rest]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self[()])


@dataclass(frozen=True, eq=False)
class Group(Item):
    """A group, or the file, which is the group `/`."""

    _items: Mapping[str, Item]
    """all of the file by name"""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._path(name) in self._items

    def __getitem__(self, name: str) -> Any:
        if not isinstance(name, str):
            raise TypeError(f"{self.name.strip('/')} is a group, not an array")
        try:
            return self._items[self._path(name)]
        except KeyError as error:
            raise KeyError(f"it holds no {self._path(name).strip('/')}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def keys(self) -> list[str]:
        """The names of what lies in the group."""
        return [name.rpartition("/")[2] for name in self._items if name != "/" and _parent(name) == self.name]

    def items(self) -> list[tuple[str, Any]]:
        """The names of what lies in it, each with what it is."""
        return [(name, self[name]) for name in self.keys()]

    def groups(self) -> list[Group]:
        """All groups below it, those in its groups as well."""
        return [item for item in self._below() if isinstance(item, Group)]

    def arrays(self) -> list[Dataset]:
        """All arrays below it, those in its groups as well."""
        return [item for item in self._below() if isinstance(item, Dataset)]

    def _below(self) -> list[Item]:
        return [item for name, item in self._items.items() if name != "/" and name.startswith(self._path(""))]

    def _path(self, name: str) -> str:
        return name if name.startswith("/") else f"{self.name.rstrip('/')}/{name}"


def _root_of(source: Source) -> Group:
    items: dict[str, Item] = {}
    for name, found in source.description["items"].items():
        attributes = {key: wire.from_wire(value) for key, value in found["attributes"].items()}
        _check_nesting(name, attributes)
        if "shape" not in found:
            items[name] = Group(name, attributes, items)
            continue
        shape = tuple(int(size) for size in found["shape"])
        dims = tuple(tuple(map(str, each)) for each in found["dims"])
        kind = wire.plain_type(found["kind"])
        items[name] = Dataset(name, attributes, source, shape, kind, dims, bool(found["scale"]))
    root = items["/"]
    assert isinstance(root, Group)
    return root


def _check_nesting(name: str, attributes: Mapping[str, Any]) -> None:
    """JSON in an attribute can be gone through: what reads it calls itself for each level."""
    for key, value in attributes.items():
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        texts = [value] if isinstance(value, str) else value.reshape(-1) if kind == "O" else ()
        if any(nested_deeper(text, DEEPEST) for text in texts if isinstance(text, str)):
            raise ValueError(f"the attribute {key} of {name} is nested more than {DEEPEST} levels deep")


def _parent(name: str) -> str:
    return name.rpartition("/")[0] or "/"


def _boxed(index: Index, shape: tuple[int, ...], name: str) -> tuple[list[tuple[int, int]], tuple[Any, ...]]:
    """A box around what an index selects, and the index of it in there."""
    each = list(index) if isinstance(index, tuple) else [index]
    if any(of is Ellipsis for of in each):
        at = next(place for place, of in enumerate(each) if of is Ellipsis)
        each[at : at + 1] = [slice(None)] * (len(shape) - len(each) + 1)
    each += [slice(None)] * (len(shape) - len(each))
    if len(each) > len(shape):
        raise IndexError(f"{name} has {len(shape)} axes, and {len(each)} indices were given")
    box: list[tuple[int, int]] = []
    rest: list[Any] = []
    for of, size in zip(each, shape, strict=True):
        if isinstance(of, slice):
            start, stop, step = of.indices(size)
            if step < 1:
                raise IndexError(f"{name} is read forward only")
            box.append((start, max(start, stop)))
            rest.append(slice(None, None, step))
        else:
            at = of.__index__()
            if not -size <= at < size:
                raise IndexError(f"{name} has {size} places along an axis, and place {at} was asked for")
            box.append((at % size, at % size + 1))
            rest.append(0)
    return box, tuple(rest)
