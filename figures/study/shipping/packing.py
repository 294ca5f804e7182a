"""A results file packed: its numbers apart from what lies around them, and of those that follow from others only how
far off they are. Unpacked it is the same file, byte for byte, on every machine.

Two streams of XZ, one behind the other: the file with zeros in the place of its 8-byte numbers, which tells where they
lie, and these numbers, group by group.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.study.shipping.expected import EXPECTED, Expected, Integers
from minima.store.hdf5.digest import Content, is_array
from minima.store.hdf5.memory import in_memory
from minima.store.hdf5.opening import BEGINNING

WORD, NUMBERS = 8, (np.dtype("<f8"), np.dtype("<i8"))
LAYERS, COUNTS, PAIRS = "/psp/", "counts", "joint_entropy"
"""of `entropy.psp`: what its layers' groups lie in, and two arrays of theirs"""
PLAIN: dict[str, Any] = {"id": lzma.FILTER_LZMA2, "preset": lzma.PRESET_EXTREME | 9}
WORDS = PLAIN | {"lc": 0, "lp": 3, "pb": 3}
"""for numbers of eight bytes"""


def pack(content: bytes) -> bytes:
    """A results file, packed; any other file is compressed as it is."""
    rest, numbers = _apart(content)
    if numbers and _together(rest, numbers) != content:
        rest, numbers = content, b""
    return _compressed(rest, PLAIN) + _compressed(numbers, WORDS)


def unpack(packed: bytes) -> bytes:
    """The file that was packed.

    >>> unpack(pack(b"no results file"))
    b'no results file'

    Raises:
        lzma.LZMAError, EOFError: it is damaged.
    """
    first = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    rest = first.decompress(packed)
    if not first.eof:
        raise EOFError("it ends too early")
    numbers = lzma.decompress(first.unused_data, lzma.FORMAT_XZ)
    return _together(rest, numbers) if numbers else rest


@dataclass(frozen=True)
class _Array:
    """Where an array lies in a file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def place(self) -> slice:
        return slice(self.offset, self.offset + int(np.prod(self.shape)) * WORD)

    def of(self, content: bytes | bytearray) -> NDArray[Any]:
        return np.frombuffer(bytes(content[self.place]), self.dtype).reshape(self.shape)


def _apart(content: bytes) -> tuple[bytes, bytes]:
    rest, numbers = bytearray(content), []
    for group, arrays in _groups(content).items():
        found = {name: array.of(content) for name, array in arrays.items()}
        for name, expected in _order(group, found):
            clue = np.empty(0, np.int64)
            if expected and expected.clue:
                with np.errstate(all="ignore"):
                    clue = expected.clue(found)
                numbers.append(clue)
            bits = found[name].view("<i8")
            numbers.append(_zigzag(bits - _bits(expected, found, clue)) if expected else _turned(group, name, bits))
            rest[arrays[name].place] = bytes(found[name].nbytes)
    return bytes(rest), b"".join(np.ascontiguousarray(each, "<i8").tobytes() for each in numbers)


def _together(rest: bytes, numbers: bytes) -> bytes:
    content, words, at = bytearray(rest), np.frombuffer(numbers, "<i8"), 0

    def following(shape: tuple[int, ...]) -> Integers:
        nonlocal at
        at += int(np.prod(shape))
        return words[at - int(np.prod(shape)) : at].reshape(shape)

    for group, arrays in _groups(rest).items():
        found: dict[str, NDArray[Any]] = {}
        for name, expected in _order(group, arrays):
            shape = arrays[name].shape
            if expected:
                clue = following(shape) if expected.clue else np.empty(0, np.int64)
                bits = _unzigzag(following(shape)) + _bits(expected, found, clue)
            else:
                bits = _turned_back(group, name, following, shape)
            found[name] = np.ascontiguousarray(bits).view(arrays[name].dtype)
            content[arrays[name].place] = found[name].tobytes()
    return bytes(content)


def _order(group: str, names: Mapping[str, Any]) -> Iterator[tuple[str, Expected | None]]:
    """The arrays of a group, in the order in which they are packed: those from which others follow first."""
    expected: dict[str, Expected] = {}
    for each in EXPECTED if group.startswith(LAYERS) else ():
        if each.name in names and {*each.needs} <= {*names}:
            expected.setdefault(each.name, each)
    yield from ((name, None) for name in sorted(names) if name not in expected)
    yield from expected.items()


def _turned(group: str, name: str, bits: Integers) -> Integers:
    """An array as it is kept: a neuron's counts one behind the other, of a table of pairs each pair once."""
    if not group.startswith(LAYERS):
        return bits
    if name == COUNTS:
        return bits.swapaxes(-1, -2)
    return bits - np.tril(bits.swapaxes(-1, -2), -1) if name == PAIRS else bits


def _turned_back(
    group: str, name: str, following: Callable[[tuple[int, ...]], Integers], shape: tuple[int, ...]
) -> Integers:
    if group.startswith(LAYERS) and name == COUNTS:
        return following((*shape[:-2], shape[-1], shape[-2])).swapaxes(-1, -2)
    kept = following(shape)
    return kept + np.tril(kept.swapaxes(-1, -2), -1) if group.startswith(LAYERS) and name == PAIRS else kept


def _bits(expected: Expected, found: Mapping[str, NDArray[Any]], clue: Integers) -> Integers:
    """What is expected, as whole numbers; 0 for what is no number, whose bits are not the same everywhere."""
    with np.errstate(all="ignore"):
        values = expected.of(found, clue)
    return np.where(np.isfinite(values), values, 0.0).astype("<f8").view("<i8")


def _zigzag(steps: Integers) -> Integers:
    """Small whole numbers of both signs as small ones without: 0, -1, 1, -2 as 0, 1, 2, 3."""
    return (steps << 1) ^ (steps >> 63)


def _unzigzag(coded: Integers) -> Integers:
    return ((coded >> 1) & np.int64(2**63 - 1)) ^ -(coded & 1)


def _groups(content: bytes) -> dict[str, dict[str, _Array]]:
    """The 8-byte numbers of a results file, group by group; none of a file that is no results file."""
    if not content.startswith(BEGINNING):
        return {}
    found: dict[str, dict[str, _Array]] = {}
    with in_memory(content) as file:
        for name, item in Content(file).items.items():
            if is_array(item) and item.dtype in NUMBERS and item.id.get_offset() is not None:
                above, _, own = name.rpartition("/")
                found.setdefault(above, {})[own] = _Array(item.id.get_offset(), item.shape, item.dtype)
    return found


def _compressed(content: bytes, how: dict[str, Any]) -> bytes:
    return lzma.compress(content, lzma.FORMAT_XZ, filters=[how])
