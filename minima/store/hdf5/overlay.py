"""An HDF5 file that the library lays out in memory while its large arrays go to the disk by themselves.

HDF5 ends in internals, or in a crash, when the disk under it is full. So it never writes to one here: what it writes
(the layout, attributes, scales) stays in memory until `save`, and the rows of large arrays are put where the layout has
their place by ordinary writes, whose errors are the system's and can be said. The whole is never in memory.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from minima.store.disk import write_whole

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

PAGE = 4096
"""bytes that are in memory, or not, together"""


class Overlay(io.RawIOBase):
    """A file object for `h5py.File`: pages in memory over a file on disk, which is written by `put` and `save` only."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pages: dict[int, bytearray] = {}
        self._at = self._size = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to where the next read or write begins."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Where the next read or write begins."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """What lies there, in memory or else on the disk; zeros where nothing does."""
        into = memoryview(buffer).cast("B")
        found = os.pread(self._descriptor, len(into), self._at)
        into[: len(found)] = found
        into[len(found) :] = bytes(len(into) - len(found))
        for page, within, where in _across_pages(self._at, len(into)):
            if page in self._pages:
                into[where] = self._pages[page][within]
        self._at += len(into)
        return len(into)

    def write(self, content: Any) -> int:
        """Take bytes that HDF5 writes into memory, page by page."""
        new = memoryview(content).cast("B")
        for page, within, where in _across_pages(self._at, len(new)):
            if page not in self._pages:
                self._pages[page] = bytearray(os.pread(self._descriptor, PAGE, page * PAGE).ljust(PAGE, b"\0"))
            self._pages[page][within] = new[where]
        self._at += len(new)
        self._size = max(self._size, self._at)
        return len(new)

    def truncate(self, size: int | None = None) -> int:
        """Set how long the file is."""
        self._size = self._at if size is None else size
        return self._size

    def put(self, dataset: h5py.Dataset, row: int, values: NDArray[Any]) -> None:
        """A row of an array made by `make_room`, onto the disk.

        Raises:
            OSError: the disk does not take it.
        """
        content = values.tobytes()
        if not content:
            return
        at = dataset.id.get_offset() + row * len(content)
        write_whole(self._descriptor, content, at)
        for page, within, where in _across_pages(at, len(content)):
            if page in self._pages:
                self._pages[page][within] = content[where]

    def save(self) -> None:
        """All that is in memory, onto the disk: HDF5 must have closed the file.

        Raises:
            OSError: the disk does not take it.
        """
        for page, content in sorted(self._pages.items()):
            write_whole(self._descriptor, memoryview(content), page * PAGE)
        os.ftruncate(self._descriptor, self._size)


def make_room(group: h5py.Group, name: str, shape: tuple[int, ...], dtype: Any) -> h5py.Dataset:
    """An array whose place in the file is settled at once, for `Overlay.put` to fill every row of it."""
    import h5py

    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_layout(h5py.h5d.CONTIGUOUS)
    created.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    created.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    created.set_obj_track_times(False)
    links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    links.set_create_intermediate_group(True)
    kind, space = h5py.h5t.py_create(dtype, logical=True), h5py.h5s.create_simple(shape)
    return h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, space, created, links))


def _across_pages(start: int, length: int) -> Iterator[tuple[int, slice, slice]]:
    """The pages that so many bytes lie in: number, which bytes of the page, which of the bytes.

    >>> list(_across_pages(4090, 10))
    [(0, slice(4090, 4096, None), slice(0, 6, None)), (1, slice(0, 4, None), slice(6, 10, None))]
    """
    done = 0
    while done < length:
        page, within = divmod(start + done, PAGE)
        size = min(PAGE - within, length - done)
        yield page, slice(within, within + size), slice(done, done + size)
        done += size
