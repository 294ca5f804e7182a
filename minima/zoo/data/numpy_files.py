"""NumPy's .npy and .npz: headers are looked at before any room is made for what they announce."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from minima.store.archive import BROKEN_ZIP, PIECE, check_sizes
from minima.store.checkpoints.pretenders import LOOKED_AT, pretender
from minima.store.command import BadInput
from minima.store.description import COUNT, FLAG, Fields, ListOf, Rule, check
from minima.store.messages import brief
from minima.store.reading import reading

HEADER = Fields(
    {
        "shape": ListOf(COUNT, most=32),
        "fortran_order": FLAG,
        "dtype": Rule("a dtype without Python objects", lambda kind: isinstance(kind, np.dtype) and not kind.hasobject),
    }
)
"""of an array"""
VERSIONS = ((1, 0), (2, 0), (3, 0))


@dataclass(frozen=True)
class _Header:
    """What an array's bytes are, as its header says."""

    shape: tuple[int, ...]
    order: Any
    dtype: np.dtype

    @staticmethod
    def read(file: IO[bytes], where: str) -> _Header:
        """The header of an .npy at the beginning of `file`, which stands behind it afterwards."""
        try:
            version = np.lib.format.read_magic(file)
            if version not in VERSIONS:
                raise ValueError(f"version {version}, expected 1 to 3")
            one, other = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
            shape, fortran, dtype = one(file) if version == (1, 0) else other(file)
        except Exception as error:  # what Python's own parser of literals raises
            raise BadInput(f"{where} is not a readable .npy of plain numbers: {brief(error)}") from error
        check({"shape": shape, "fortran_order": fortran, "dtype": dtype}, HEADER, where)
        return _Header(tuple(shape), "F" if fortran else "C", dtype)

    @property
    def size(self) -> int:
        """How many bytes the array's numbers take, by the header's shape and data type."""
        return math.prod(self.shape) * self.dtype.itemsize

    def check_size(self, there: int, where: str) -> None:
        """Refuse another number of bytes than announced."""
        if self.size != there:
            raise BadInput(
                f"{where}: {self.size:,} bytes of numbers are announced ({self.dtype} of shape {self.shape}), "
                f"{there:,} found. Copy or make it again"
            )

    def array(self, content: bytes | bytearray) -> np.ndarray:
        """The array of the header's shape, data type and order that these bytes are."""
        return np.frombuffer(content, self.dtype).reshape(self.shape, order=self.order)


def read_npy(path: Path, *, mapped: bool = False) -> np.ndarray:
    """The numbers in an .npy; `mapped`: left on the disk until they are asked for.

    Raises:
        BadInput: it is not there, holds Python objects, or is not as long as its header says.
    """
    with reading(path) as file:
        header = _Header.read(file, str(path))
        header.check_size(os.fstat(file.fileno()).st_size - file.tell(), str(path))
        if mapped and header.size:
            return np.memmap(file, header.dtype, "r", file.tell(), header.shape, header.order)
        return header.array(bytearray(file.read()))


def read_npz(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays in an .npz by name, each against its checksum.

    What is compressed is inflated at most to the size that the file says, and refused where that is more than --memory.

    Raises:
        BadInput: it is not there, damaged, or holds Python objects.
    """
    with reading(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                records = archive.infolist()
                check_sizes(records, os.fstat(file.fileno()).st_size, path)
                return {
                    record.filename.removesuffix(".npy"): _array(archive, record, path) for record in archive.infolist()
                }
        except BROKEN_ZIP as error:
            file.seek(0)
            other = pretender(file.read(LOOKED_AT)) or f"is not a readable .npz of plain arrays: {brief(error)}"
            raise BadInput(f"{path} {other}") from error


def _array(archive: zipfile.ZipFile, record: zipfile.ZipInfo, path: Path) -> np.ndarray:
    """One array, its bytes read to the end, where the checksum is."""
    where = f"{path}: {record.filename!a}"
    with archive.open(record) as member:
        header = _Header.read(member, where)
        header.check_size(record.file_size - member.tell(), where)
        content = bytearray(header.size)
        left = memoryview(content)
        while left and (piece := member.read(min(PIECE, len(left)))):
            left[: len(piece)] = piece
            left = left[len(piece) :]
        if left or member.read(1):
            raise BadInput(f"{where} is truncated: {len(left):,} of {header.size:,} bytes are missing")
        return header.array(content)
