"""What a file of ours says of its own content: a SHA-256 of every array, and of all that lies around them.

Each array has an attribute `digest` of its name, type, shape, values and attributes. The root has one of these, of all
names, types and shapes, and of the attributes of the groups and its own: it is looked at when a file is opened, an
array's when its values are read. The group `clock` counts for itself: it holds a digest of its own, so that two runs of
the same work differ there only. Arrays along the scale `step` of a trajectory, which are read moment by moment, have
one digest for each moment, in the array `step_digest`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from minima.store.canonical import Canonical, kind_of

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

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
    for top in tops(file):
        for item in below(top):
            if is_array(item):
                item.attrs[DIGEST] = array_digest(item)
        top.attrs[DIGEST] = root_digest(top)


def verify(file: h5py.File) -> list[str]:
    """Names of what is not as it was sealed: arrays, `step_digest[i]` for moments, `/` and `clock` for what is around.

    Everything is read. [] for a file that is whole.
    """
    found = []
    for top in tops(file):
        arrays = [item for item in below(top) if is_array(item)]
        own = [item.name.strip("/") for item in arrays if item.attrs.get(DIGEST) != array_digest(item)]
        if not own and top.attrs.get(DIGEST) != root_digest(top):
            own = [top.name.strip("/") or "/"]
        found += own
    return found + [f"{STEP_DIGEST}[{row}]" for row in range(moments(file)) if not moment_is_whole(file, row)]


def tops(file: h5py.File) -> Iterator[h5py.Group]:
    """What has a digest of all below it: the file, and its clock."""
    yield file
    if CLOCK in file:
        yield file[CLOCK]


def below(top: h5py.Group) -> Iterator[Item]:
    """All groups and arrays below a group by name, but for the clock of the file.

    Raises:
        ValueError: it holds something else, or leads somewhere else: our files have plain links only.
    """
    for name in sorted(top):
        if top.get(name, getlink=True).__class__.__name__ != "HardLink":
            raise ValueError(f"{top.name.rstrip('/')}/{name} leads to another place")
        if top.name == "/" and name == CLOCK:
            continue
        item = top[name]
        yield item
        if not is_array(item):
            yield from below(item)


def is_array(item: Item) -> bool:
    """Whether it is an array, not a group."""
    return hasattr(item, "dtype")


def root_digest(top: h5py.Group) -> str:
    """Of the file or its clock: of its attributes, and of what is below it all but the values of arrays."""
    hashed = Canonical().add([top.name, _attributes(top)])
    for item in below(top):
        hashed.add([item.name, _attributes(item)])
        if is_array(item):
            hashed.add(item.attrs.get(DIGEST, None))
            hashed.add_kind(kind_of(item.dtype), item.shape)
    return hashed.hexdigest()


def array_digest(dataset: h5py.Dataset) -> str:
    """Of an array's name, attributes, type, shape and values; of one along `step` the values count elsewhere."""
    hashed = Canonical().add([dataset.name, _attributes(dataset)]).add_kind(kind_of(dataset.dtype), dataset.shape)
    if not is_stepwise(dataset):
        for values in read_in_pieces(dataset):
            hashed.add_piece(values)
    return hashed.hexdigest()


def is_stepwise(dataset: h5py.Dataset) -> bool:
    """Whether it is an array of a trajectory with a place for each moment."""
    if DIMENSIONS not in dataset.attrs or dataset.name == f"/{STEP_DIGEST}":
        return False
    return _named(dataset, dataset.attrs[DIMENSIONS][0]) == [f"/{STEP}"]


def moments(file: h5py.File) -> int:
    """How many moments have a digest."""
    return len(file[STEP_DIGEST]) if STEP_DIGEST in file else 0


def moment_is_whole(file: h5py.File, row: int) -> bool:
    """Whether all arrays along `step` hold at this place what they held when the file was sealed."""
    return bool(file[STEP_DIGEST][row].decode("ascii", "replace") == moment_digest(file, row))


def moment_digest(file: h5py.File, row: int) -> str:
    """Of one moment's values in all arrays along `step`."""
    hashed = Canonical()
    for item in below(file):
        if is_array(item) and is_stepwise(item):
            hashed.add(item.name).add_kind(kind_of(item.dtype), item.shape[1:])
            for values in read_in_pieces(item, (row,)):
                hashed.add_piece(values)
    return hashed.hexdigest()


def read_in_pieces(dataset: h5py.Dataset, first: tuple[int, ...] = ()) -> Iterator[NDArray[Any]]:
    """An array's values, or those at some first indices, in C order and never too many at once."""
    for piece in pieces(dataset.shape[len(first) :], dataset.dtype.itemsize, PIECE):
        yield dataset[(*first, *piece)]


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


def _seal_moments(file: h5py.File) -> None:
    if STEP not in file:
        return
    import numpy as np

    digests = np.array([moment_digest(file, row) for row in range(len(file[STEP]))], dtype="S64")
    dataset = file.create_dataset(STEP_DIGEST, data=digests, track_times=False)
    dataset.dims[0].attach_scale(file[STEP])
    dataset.attrs.update(units="1", long_name="SHA-256 of the arrays at this moment")


def _attributes(item: Item) -> dict[str, Any]:
    """All but the digest, by name; addresses as the names of what lies there."""
    found: dict[str, Any] = {}
    for key in sorted(item.attrs):
        if key == DIMENSIONS:
            found[key] = [_named(item, axis) for axis in item.attrs[key]]
        elif key == USES:
            found[key] = sorted(f"{_named(item, [each])[0]} {axis}" for each, axis in item.attrs[key])
        elif key != DIGEST:
            found[key] = _plain(item.attrs[key])
    return found


def _plain(value: Any) -> Any:
    """An attribute's value; one without any as its type."""
    return ["empty", str(value.dtype)] if value.__class__.__name__ == "Empty" else value


def _named(item: Item, references: Any) -> list[str]:
    return [item.file[reference].name for reference in references]
