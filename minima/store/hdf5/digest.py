"""What a file of ours says of its own content: a SHA-256 of every array, and of all that lies around them.

Each array has an attribute `digest` of its name, type, shape, values and attributes. The root has one of these, of all
names, types and shapes, and of the attributes of the groups and its own: it is looked at when a file is opened, an
array's when its values are read. The group `clock` counts for itself: it holds a digest of its own, so that two runs of
the same work differ there only. Arrays along the scale `step` of a trajectory, which are read moment by moment, have
one digest for each moment, in the array `step_digest`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from minima.store.canonical import Canonical, kind_of

if TYPE_CHECKING:
    import h5py

    Item: TypeAlias = h5py.Group | h5py.Dataset

DIGEST = "digest"
"""the attribute"""
CLOCK = "clock"
"""the group of times: what differs between two runs of the same work"""
STEP, STEP_DIGEST = "step", "step_digest"
"""a trajectory's scale, and the array of its moments' digests"""
DIMENSIONS, USES = "DIMENSION_LIST", "REFERENCE_LIST"
"""attributes that hold addresses inside the file; what they say is hashed as names"""
PIECE = 2**24
"""bytes that are read at once"""


def seal(file: h5py.File) -> None:
    """Give every array, every moment, the clock and the file their digests: the last that is written into a file."""
    _seal_moments(file)
    content = Content(file)
    for top in content.tops():
        for name in content.arrays(top):
            content.items[name].attrs[DIGEST] = content.array_digest(name)
        content.items[top].attrs[DIGEST] = content.root_digest(top)


def verify(file: h5py.File, progress: Callable[[], object] = bool) -> list[str]:
    """Names of what is not as it was sealed: arrays, `step_digest[i]` for moments, `/` and `clock` for what is around.

    Everything is read, and `progress` called again and again meanwhile. [] for a file that is whole.
    """
    content = Content(file, progress)
    found: list[str] = []
    for top in content.tops():
        own = [name.strip("/") for name in content.arrays(top) if not content.array_is_whole(name)]
        found += own if own or content.root_is_whole(top) else [top.strip("/") or "/"]
    moments = len(file[STEP_DIGEST]) if STEP_DIGEST in file else 0
    return found + [f"{STEP_DIGEST}[{row}]" for row in range(moments) if not content.moment_is_whole(row)]


class Content:
    """An open file as its digests see it: all in it by name, from the root on.

    Raises:
        ValueError: something in it leads to another place: our files have plain links only.
    """

    def __init__(self, file: h5py.File, progress: Callable[[], object] = bool) -> None:
        self._progress = progress
        self.items: dict[str, Item] = {"/": file} | dict(sorted(self._below(file, "")))
        self._names = {_address(item.id): name for name, item in self.items.items()}
        self._read: dict[str, dict[str, Any]] = {}

    def tops(self) -> list[str]:
        """What has a digest of all below it: the file, and its clock."""
        return [name for name in ("/", f"/{CLOCK}") if name in self.items]

    def arrays(self, top: str) -> list[str]:
        """The names of the arrays that count there."""
        return [name for name in self._of(top) if is_array(self.items[name])]

    def attributes(self, name: str) -> dict[str, Any]:
        """The attributes of a group or array but its digest, by name; addresses as the names of what lies there."""
        if name not in self._read:
            item = self.items[name]
            self._read[name] = {key: self._attribute(item, key) for key in sorted(item.attrs) if key != DIGEST}
        return self._read[name]

    def is_stepwise(self, name: str) -> bool:
        """Whether it is an array of a trajectory with a place for each moment."""
        labels = self.attributes(name).get(DIMENSIONS, ())
        return len(labels) > 0 and labels[0] == [f"/{STEP}"] and name != f"/{STEP_DIGEST}"

    def root_is_whole(self, top: str) -> bool:
        """Whether all around the values is as it was when the file, or its clock, was sealed."""
        return bool(self.items[top].attrs.get(DIGEST) == self.root_digest(top))

    def array_is_whole(self, name: str) -> bool:
        """Whether an array is; of one along `step`, but for its values."""
        return bool(self.items[name].attrs.get(DIGEST) == self.array_digest(name))

    def moment_is_whole(self, row: int) -> bool:
        """Whether all arrays along `step` hold at this place what they held when the file was sealed."""
        return bool(self.items[f"/{STEP_DIGEST}"][row].decode("ascii", "replace") == self.moment_digest(row))

    def root_digest(self, top: str) -> str:
        """The digest of the file or its clock: of its attributes and all that is below it, but for the values of
        arrays.
        """
        hashed = Canonical().add([top, self.attributes(top)])
        for name in self._of(top):
            self._progress()
            hashed.add([name, self.attributes(name)])
            if is_array(item := self.items[name]):
                hashed.add(item.attrs.get(DIGEST, None)).add_kind(kind_of(item.dtype), item.shape)
        return hashed.hexdigest()

    def array_digest(self, name: str) -> str:
        """The digest of an array's name, attributes, type, shape and values; those along `step` count elsewhere."""
        dataset = self.items[name]
        hashed = Canonical().add([name, self.attributes(name)]).add_kind(kind_of(dataset.dtype), dataset.shape)
        if not self.is_stepwise(name):
            self._add_values(hashed, dataset)
        return hashed.hexdigest()

    def moment_digest(self, row: int) -> str:
        """The digest of one moment's values in all arrays along `step`."""
        hashed = Canonical()
        for name in self.arrays("/"):
            if self.is_stepwise(name):
                dataset = self.items[name]
                hashed.add(name).add_kind(kind_of(dataset.dtype), dataset.shape[1:])
                self._add_values(hashed, dataset, (row,))
        return hashed.hexdigest()

    def _of(self, top: str) -> list[str]:
        """The names of what counts there, without its own."""
        clock = f"/{CLOCK}"
        own = [name for name in self.items if name == clock or name.startswith(f"{clock}/")]
        return own[1:] if top == clock else [name for name in self.items if name != "/" and name not in own]

    def _below(self, group: h5py.Group, path: str) -> Iterator[tuple[str, Item]]:
        for name in group:
            self._progress()
            if group.get(name, getlink=True).__class__.__name__ != "HardLink":
                raise ValueError(f"{path}/{name} leads to another place")
            item = group[name]
            yield f"{path}/{name}", item
            if not is_array(item):
                yield from self._below(item, f"{path}/{name}")

    def _attribute(self, item: Item, key: str) -> Any:
        value = item.attrs[key]
        if key == DIMENSIONS:
            return [[self._named(item, each) for each in axis] for axis in value]
        if key == USES:
            return sorted(f"{self._named(item, each)} {axis}" for each, axis in value)
        return ["empty", str(value.dtype)] if value.__class__.__name__ == "Empty" else value

    def _named(self, item: Item, reference: Any) -> str | None:
        """What lies at an address in the file; None for nothing that has a name."""
        import h5py

        return self._names.get(_address(h5py.h5r.dereference(reference, item.id))) if reference else None

    def _add_values(self, hashed: Canonical, dataset: h5py.Dataset, first: tuple[int, ...] = ()) -> None:
        for piece in pieces(dataset.shape[len(first) :], dataset.dtype.itemsize, PIECE):
            self._progress()
            hashed.add_piece(dataset[(*first, *piece)])


def _address(identifier: Any) -> int:
    import h5py

    return int(h5py.h5o.get_info(identifier).addr)


def _seal_moments(file: h5py.File) -> None:
    if STEP not in file:
        return
    import numpy as np

    content = Content(file)
    digests = np.array([content.moment_digest(row) for row in range(len(file[STEP]))], dtype="S64")
    if STEP_DIGEST in file:  # sealed before
        file[STEP_DIGEST][...] = digests
        return
    dataset = file.create_dataset(STEP_DIGEST, data=digests, track_times=False)
    dataset.dims[0].attach_scale(file[STEP])
    dataset.attrs.update(units="1", long_name="SHA-256 of the arrays at this moment")


def is_array(item: Item) -> bool:
    """Whether it is an array, not a group."""
    return hasattr(item, "dtype")


def pieces(shape: tuple[int, ...], itemsize: int, most: int) -> Iterator[tuple[slice, ...]]:
    """Parts of an array in C order, of at most so many bytes each.

    >>> list(pieces((3, 2), 8, most=32))
    [(slice(0, 2, None),), (slice(2, 3, None),)]
    """
    if not shape:
        yield ()
        return
    row = itemsize * math.prod(shape[1:])
    if row > most and len(shape) > 1:
        for index in range(shape[0]):
            for rest in pieces(shape[1:], itemsize, most):
                yield (slice(index, index + 1), *rest)
        return
    step = max(1, most // max(1, row))
    for start in range(0, shape[0], step):
        yield (slice(start, min(start + step, shape[0])),)
