"""Matrix-vector products written down: what a run that was killed has computed, its successor reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from minima.store.disk import discard
from minima.store.journal import Journal
from minima.zoo.ranks import ALONE, Ranks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from minima.store.hdf5.results import Place

HASH_BYTES = 16


class ProductJournal:
    """The results of a function (..., d) -> (..., d) in float64, in the order of the calls, in a file.

    A record is a hash of the input and the output. Records of an earlier run are given back for the same inputs in the
    same order; at the first that differs, is torn or damaged, the rest is dropped. It holds at most `limit` bytes:
    calls after that are repeated by a later run. Of several `ranks` the first has the file and tells the others.
    """

    def __init__(self, path: Path | None, limit: int, ranks: Ranks = ALONE) -> None:
        self._limit, self._ranks = limit, ranks
        self._records = None if path is None else Journal(path)

    def remembering(
        self, function: Callable[[Tensor], Tensor], written: Callable[[], None] = lambda: None
    ) -> Callable[[Tensor], Tensor]:
        """A function with the same results, of which those in the file are not computed again; `written` is called when
        there is something new in the file.
        """

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

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return 0 if self._records is None else self._records.size

    def close(self) -> None:
        """Close the file: no more calls will come."""
        if self._records is not None:
            self._records.close()

    def _read(self, key: bytes, numbers: int) -> bytes | None:
        """The next record's output, if it is that of this input."""
        if self._records is None:
            return None
        size = HASH_BYTES + 8 * numbers
        record = self._records.take(lambda found: len(found) == size and found[:HASH_BYTES] == key)
        return None if record is None else record[HASH_BYTES:]

    def _write(self, key: bytes, made: Tensor) -> bool:
        if self._records is None or self._records.size + 8 * made.numel() > self._limit:
            return False
        self._records.add(key, _bytes(made))
        return True


@contextmanager
def journal(
    place: Place, name: str, product: Callable[[Tensor], Tensor], limit: int, ranks: Ranks
) -> Iterator[Callable[[Tensor], Tensor]]:
    """A product with a journal of this name beside the unfinished results, to `forget` when what it is for is kept."""
    path = place.scratch(name)
    book = ProductJournal(path, limit, ranks)
    try:
        yield book.remembering(product, place.worth_keeping)
    finally:
        book.close()
        if path is not None and not book.size:
            discard(path)


def _key(vectors: Tensor) -> bytes:
    return hashlib.blake2b(_bytes(vectors), digest_size=HASH_BYTES).digest()


def _bytes(vectors: Tensor) -> memoryview:
    return np.ascontiguousarray(vectors.detach().cpu().double().numpy()).reshape(-1).view(np.uint8).data
