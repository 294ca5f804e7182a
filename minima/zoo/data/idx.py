"""The IDX format of MNIST (LeCun): a magic number with type and rank, the sizes, then big-endian numbers."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from minima.store.command import BadInput
from minima.store.reading import read_bytes

UNSIGNED_BYTE = 0x08


def read_idx(folder: Path, name: str, *, advice: str) -> np.ndarray:
    """The uint8 array in `folder/name` or `folder/name.gz`; `advice` ends the error when neither is there."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if not plain.exists() and not packed.exists():
        raise BadInput(f"{plain} is missing (nor is there {packed.name}).\n{advice}")
    path = plain if plain.exists() else packed
    try:
        content = read_bytes(path) if path == plain else gzip.decompress(read_bytes(path))
    except (OSError, EOFError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    return _parse(content, path)


def _parse(content: bytes, path: Path) -> np.ndarray:
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise BadInput(f"{path} is not an IDX file of unsigned bytes (it begins with {content[:4].hex()})")
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4).astype(int)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    if values.size != shape.prod():
        raise BadInput(f"{path} is truncated: {shape.prod()} bytes announced, {values.size} found")
    return values.reshape(shape)
