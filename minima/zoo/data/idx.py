"""The IDX format of MNIST (LeCun): a magic number with type and rank, the sizes, then big-endian numbers."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from minima.store.archive import PIECE
from minima.store.command import BadInput
from minima.store.messages import brief
from minima.store.reading import reading
from minima.store.room import check_room

UNSIGNED_BYTE = 0x08
MOST_AXES = 8


def read_idx(folder: Path, name: str, *, advice: str) -> np.ndarray:
    """The uint8 array in `folder/name` or `folder/name.gz`; `advice` ends the error when neither is there.

    What is packed is inflated in pieces, at most to the size that its header says, and refused where that is more than
    --memory; its checksum is looked at.
    """
    plain, packed = folder / name, folder / f"{name}.gz"
    if not plain.exists() and not packed.exists():
        raise BadInput(f"{plain} is missing (nor is there {packed.name}).\n{advice}")
    path = plain if plain.exists() else packed
    with reading(path) as file:
        try:
            if path == plain:
                return _parse(file, path)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _parse(unpacked, path)
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(f"{path} cannot be read: {brief(error)}. Copy or download it again") from error


def _parse(file: IO[bytes] | gzip.GzipFile, path: Path) -> np.ndarray:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTE:
        raise BadInput(f"{path} is not an IDX file of unsigned bytes (it begins with {start.hex() or 'nothing'})")
    rank = start[3]
    sizes = file.read(4 * rank)
    if not 1 <= rank <= MOST_AXES or len(sizes) < 4 * rank:
        raise BadInput(f"{path}: {rank} axes announced, {len(sizes) // 4} sizes found; expected 1 to {MOST_AXES} axes")
    shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, 4 * rank, 4))
    size = math.prod(shape)
    if isinstance(file, gzip.GzipFile):
        check_room(size, str(path))
    content = _at_most(file, size + 1)
    if len(content) < size:
        raise BadInput(f"{path} is truncated: {size:,} bytes announced for the shape {shape}, {len(content):,} found")
    if len(content) > size:
        raise BadInput(f"{path} is longer than the {size:,} bytes that it announces for the shape {shape}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _at_most(file: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    """The next bytes of a file, `size` of them where there are so many."""
    content = bytearray()
    while piece := file.read(min(PIECE, size - len(content))):
        content += piece
    return content
