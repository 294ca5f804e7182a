"""Records that survive a kill: an append-only file in which each is whole, with a checksum, or not there at all.

A record lies in the file as its length (8 bytes), the BLAKE2b hash (16 bytes) of that and of its content, and the
content. A kill in the middle of a write, or a block that never reached the disk, costs the records from there on, which
is seen when they are read, and no other.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from minima.store.disk import write_whole, writing
from minima.store.hidden import open_hidden

HEAD = struct.Struct("<Q16s")
"""before each record's content: how many bytes it has, and the hash"""


class Journal:
    """The records of one file: first those that are there are taken, one after the other, then new ones are added.

    Args:
        path: a hidden file, created if it is not there; nobody else writes it meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing(path):
            self._descriptor = open_hidden(path)
        self.size = 0
        """bytes of the records taken and added so far"""
        self.lost = 0
        """bytes behind them that were dropped: torn, damaged, or not wanted"""
        self.damaged = False
        """whether a record was there in full and was not what had been written"""

    def take(self, wanted: Callable[[bytes], bool] = lambda _: True) -> bytes | None:
        """The next record; None if there is no more, or it is not `wanted`, and then whatever follows is dropped."""
        there = os.fstat(self._descriptor).st_size
        content = self._read(there)
        if content is not None and wanted(content):
            self.size += HEAD.size + len(content)
            return content
        if there > self.size:
            self.lost += there - self.size
            self._cut(self.size)
        return None

    def clear(self) -> None:
        """No record is there any more."""
        self._cut(0)

    def add(self, *pieces: bytes | memoryview) -> None:
        """A new record of these bytes: from here on it survives a kill.

        Raises:
            NotWritten: the disk does not take it; the records before it are there.
        """
        length = sum(map(len, pieces))
        head = HEAD.pack(length, _hash(length, *pieces))
        at = self.size
        try:
            with writing(self.path):
                for piece in (b"".join((head, *pieces)),) if length < SMALL else (head, *pieces):
                    write_whole(self._descriptor, piece, at)
                    at += len(piece)
        except BaseException:
            with suppress(OSError):  # a torn record is not read either
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size = at

    def close(self) -> None:
        """Close the file: no more records will come."""
        os.close(self._descriptor)

    def _read(self, there: int) -> bytes | None:
        """The content behind the records taken so far, if it is whole."""
        head = os.pread(self._descriptor, HEAD.size, self.size)
        if len(head) < HEAD.size:
            return None
        length, expected = HEAD.unpack(head)
        if length > there - self.size - HEAD.size:
            return None
        content = _read_whole(self._descriptor, length, self.size + HEAD.size)
        if _hash(length, content) == expected:
            return content
        self.damaged = True
        return None

    def _cut(self, size: int) -> None:
        with writing(self.path):
            os.ftruncate(self._descriptor, size)
        self.size = size


SMALL = 2**16
"""bytes of a record below which it is copied into one write"""


def _hash(length: int, *pieces: bytes | memoryview) -> bytes:
    made = hashlib.blake2b(length.to_bytes(8, "little"), digest_size=16)
    for piece in pieces:
        made.update(piece)
    return made.digest()


def _read_whole(descriptor: int, length: int, offset: int) -> bytes:
    """So many bytes from an offset on; fewer where the file ends before."""
    found = os.pread(descriptor, length, offset)
    if len(found) == length:
        return found
    content = bytearray(found)
    while len(content) < length and found:
        found = os.pread(descriptor, length - len(content), offset + len(content))
        content += found
    return bytes(content)
