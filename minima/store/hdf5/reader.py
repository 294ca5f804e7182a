"""The process that reads HDF5 files for a command: what `minima.store.hdf5.process` starts.

libhdf5 runs without end, writes where it should not, or asks for all memory there is on some damaged files. Here this
ends a small process with a limit on memory and on the processor's time without progress, and the command goes on to
say which file it was. The files come as open descriptors; links to other files, and arrays that lie in other files, are
not followed.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from minima.store.hdf5 import wire
from minima.store.hdf5.digest import (
    DIGEST,
    DIMENSIONS,
    PIECE,
    USES,
    Content,
    is_array,
    pieces,
    verify,
)

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

MEMORY = 2**30
"""bytes of address space, at least"""
SHARE = 4
"""what of --memory they are, where that is more: a fourth"""
SECONDS = 4
"""of the processor, from one sign of progress to the next: the system counts by the tick, on a busy machine several
times what was used"""
UNDERSTOOD = ("CLASS", "NAME", DIMENSIONS, USES)
"""attributes that make dimension scales, which are told as such"""
TEXT = 64
"""bytes that a text is taken to have, to know how many to read at once"""


def main(descriptor: int) -> None:
    """Answer on this socket until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which closes the socket
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY)
    with socket.socket(fileno=descriptor) as channel:
        server = _Server(channel)
        while server.answer():
            pass


def _progress() -> None:
    """Grant so much time anew."""
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + SECONDS)


def _limit(what: int, amount: int) -> None:
    hard = resource.getrlimit(what)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))


class _Server:
    """The open files, and what is asked of them."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._files: dict[int, _File] = {}

    def answer(self) -> bool:
        """Whether there was a request: it is answered, be it by what is wrong."""
        request, descriptor = wire.receive_request(self._channel)
        if request is None:
            return False
        _progress()
        try:
            self._do(request, descriptor)
        except MemoryError:
            self._say(error="it asks for more memory than there is for reading it")
        except RecursionError:
            self._say(error="its groups lie too deep in one another")
        except Exception as error:  # h5py raises almost every kind
            self._say(error=wire.in_a_line(error))
        return True

    def _do(self, request: dict[str, Any], descriptor: int | None) -> None:
        key, what = request["file"], request["do"]
        if what == "open":
            assert descriptor is not None
            _limit(resource.RLIMIT_AS, max(MEMORY, request["memory"] // SHARE))
            self._files[key] = _File(descriptor, request["memory"])
            self._say(**self._files[key].description())
        elif what == "read":
            for message, content in self._files[key].read(request["name"], request["box"]):
                self._say(content, **message)
        elif what == "verify":
            self._say(damaged=verify(self._files[key].file, _progress))
        elif what == "close" and key in self._files:
            self._files.pop(key).close()

    def _say(self, content: Any = b"", **message: Any) -> None:
        _progress()
        wire.send(self._channel, message, content)


class _File:
    """One file, open for reading, and what of it was found to be as it was sealed.

    `memory`: bytes that an array may take which are not all there, being compressed or never written.
    """

    def __init__(self, descriptor: int, memory: int) -> None:
        import h5py

        self._descriptor, self._memory = descriptor, memory
        self.file = h5py.File(f"/dev/fd/{descriptor}", "r", locking=False)
        self._content = Content(self.file, _progress)
        self._sealed = DIGEST in self.file.attrs
        self._whole: set[str | int] = set()

    def close(self) -> None:
        self.file.close()
        os.close(self._descriptor)

    def description(self) -> dict[str, Any]:
        """All but the values of arrays, and whether it is as it was sealed, if it was."""
        broken = self._sealed and not all(map(self._content.root_is_whole, self._content.tops()))
        return {
            "items": {name: self._described(name) for name in self._content.items},
            "sealed": self._sealed,
            "broken": broken,
        }

    def _described(self, name: str) -> dict[str, Any]:
        item, known = self._content.items[name], self._content.attributes(name)
        attributes = {key: wire.to_wire(value) for key, value in known.items() if key not in UNDERSTOOD}
        if DIGEST in item.attrs:
            attributes[DIGEST] = wire.to_wire(item.attrs[DIGEST])
        if not is_array(item):
            return {"attributes": attributes}
        self._check_place(name, item)
        return {
            "attributes": attributes,
            "shape": item.shape,
            "kind": wire.kind(item.dtype),
            "dims": known.get(DIMENSIONS) or [[] for _ in item.shape],
            "scale": known.get("CLASS") == b"DIMENSION_SCALE",
        }

    def _check_place(self, name: str, dataset: h5py.Dataset) -> None:
        """Its values lie in this file, and not fewer than it says."""
        if dataset.id.get_create_plist().get_external_count() or dataset.is_virtual:
            raise ValueError(f"the values of {name} lie in another file")
        says, there = dataset.dtype.itemsize * math.prod(dataset.shape), os.fstat(self._descriptor).st_size
        if says > max(self._memory, there):
            raise ValueError(
                f"{name} says that it takes {says:,} bytes, the whole file has {there:,}, and --memory is "
                f"{self._memory / 2**30:g}"
            )

    def read(self, name: str, box: list[list[int]]) -> Iterator[tuple[dict[str, Any], Any]]:
        """The values in a box of an array, a start and stop for each axis, in pieces, once they are known to be right.

        Raises:
            ValueError: they are not what was written.
        """
        dataset = self._content.items[name]
        self._check(name, box)
        text, shape = dataset.dtype.kind == "O", tuple(stop - start for start, stop in box)
        for piece in pieces(shape, TEXT if text else dataset.dtype.itemsize, PIECE):
            whole = (*piece, *(slice(0, size) for size in shape[len(piece) :]))
            values = dataset[
                tuple(slice(start + of.start, start + of.stop) for (start, _), of in zip(box, whole, strict=True))
            ]
            yield ({"texts": _texts(values)}, b"") if text else ({}, _bytes(values))

    def _check(self, name: str, box: list[list[int]]) -> None:
        if not self._sealed:
            return
        if name not in self._whole and not self._content.array_is_whole(name):
            raise ValueError(f"{name.strip('/')} is not what was written")
        self._whole.add(name)
        for row in range(*box[0]) if self._content.is_stepwise(name) else ():
            if row not in self._whole and not self._content.moment_is_whole(row):
                raise ValueError(f"the weights at place {row} are not what was written")
            self._whole.add(row)


def _texts(values: NDArray[Any] | bytes) -> list[str]:
    import numpy as np

    each = np.asarray(values, dtype=object).reshape(-1).tolist()
    return [item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item) for item in each]


def _bytes(values: NDArray[Any]) -> Any:
    import numpy as np

    return np.ascontiguousarray(values).reshape(-1).view(np.uint8).data if values.size else b""
