"""A journal of matrix-vector products: what a run that was killed has computed, its successor reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import torch
from torch import Tensor

from minima.store.hidden import open_hidden
from minima.zoo.ranks import ALONE, Ranks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minima.store.hdf5.results import Place

HASH_BYTES = 16


class Journal:
    """The results of a function (..., d) -> (..., d) in float64, in the order of the calls, in a file.

    A record is a hash of the input and the output. Records of an earlier run are given back for the same inputs in the
    same order; at the first that differs, or is torn, the rest is dropped. It holds at most `limit` bytes: calls after
    that are repeated by a later run. Of several `ranks` the first has the file and tells the others.
    """

    def __init__(self, path: Path | None, limit: int, ranks: Ranks = ALONE) -> None:
        self._limit, self._ranks = limit, ranks
        self._file: BinaryIO | None = None if path is None else os.fdopen(open_hidden(path), "rb+")
        if self._file is not None:
            self._file.seek(0)

    def remembering(
        self, function: Callable[[Tensor], Tensor], written: Callable[[], None] = lambda: None
    ) -> Callable[[Tensor], Tensor]:
        """The same function with a memory on disk; `written` is called when there is something new in the file."""

        def call(vectors: Tensor) -> Tensor:
            key = _key(vectors)
            known = self._ranks.tell(self._read(key, vectors.numel()))
            if known is not None:
                return torch.frombuffer(bytearray(known), dtype=torch.float64).view(vectors.shape).to(vectors.device)
            made = function(vectors)
            if self._write(key, made):
                written()
            return made

        return call

    def close(self) -> None:
        """Close the file: no more calls will come."""
        if self._file is not None:
            self._file.close()

    def _read(self, key: bytes, numbers: int) -> bytes | None:
        """The next record, if it is that of this input."""
        if self._file is None:
            return None
        start, size = self._file.tell(), HASH_BYTES + 8 * numbers
        record = self._file.read(size)
        if len(record) == size and record[:HASH_BYTES] == key:
            return record[HASH_BYTES:]
        self._file.seek(start)
        self._file.truncate()
        return None

    def _write(self, key: bytes, made: Tensor) -> bool:
        if self._file is None or self._file.tell() + 8 * made.numel() > self._limit:
            return False
        self._file.write(key + _bytes(made))
        self._file.flush()
        return True


@contextmanager
def journal(
    place: Place, name: str, product: Callable[[Tensor], Tensor], limit: int, ranks: Ranks
) -> Iterator[Callable[[Tensor], Tensor]]:
    """A product with a journal of this name beside the unfinished results, to `forget` when what it is for is kept."""
    path = place.scratch(name)
    book = Journal(path, limit, ranks)
    try:
        yield book.remembering(product, place.worth_keeping)
    finally:
        book.close()
        if path is not None and not path.stat().st_size:
            path.unlink()


def _key(vectors: Tensor) -> bytes:
    return hashlib.blake2b(_bytes(vectors), digest_size=HASH_BYTES).digest()


def _bytes(vectors: Tensor) -> bytes:
    return np.ascontiguousarray(vectors.detach().cpu().double().numpy()).tobytes()
