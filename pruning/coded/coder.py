"""A layer's symbols as bytes and back: zlib's Huffman coder over symbols, or over the gaps between those not zero.

Huffman codes of a whole stream are memoryless, as the ideal is, so the two can be held against each other; matches with
what came before are switched off. A symbol takes at least one bit, which is too much where nearly all are zero: there
the numbers of zeros between others are coded, and the others by themselves. A layer is written in all ways and the
shortest stays.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pruning.coded.ideal import Symbols, entropy_bits, without_empty_lines

Bytes = NDArray[np.uint8]
ALL, GAPS, LINES = 0, 1, 2
"""how a layer is written: every symbol or gaps, to which is added whether empty rows and columns are left out"""
LONG = 255
"""a byte of a gap that says that there are so many zeros, and that the gap goes on"""
HEAD, LENGTH = struct.Struct("<fB"), struct.Struct("<I")


@dataclass(frozen=True)
class CodedLayer:
    """A layer's symbols as bytes."""

    content: bytes
    stream_bits: float
    """the entropy of what the coder was given, stream by stream: no memoryless code of these takes less"""
    coded_symbols: int
    """how many symbols all streams have: a Huffman code is less than a bit for each above the entropy"""
    streams: int


def encode(symbols: Symbols, step: np.float32) -> CodedLayer:
    """The shortest of the ways to write a layer's symbols (rows, columns, ...), with its step."""
    return min((_written(*way, step) for way in _ways(symbols)), key=lambda each: len(each.content))


def decode(content: bytes, shape: Sequence[int]) -> tuple[Symbols, np.float32]:
    """What `encode` was given, for a weight of this shape."""
    step, way = HEAD.unpack_from(content)
    streams = _streams(content[HEAD.size :])
    symbols = np.zeros(shape, dtype=np.int8)
    lines = [np.unpackbits(next(streams), count=size).astype(bool) for size in shape[:2] if way & LINES]
    places = np.ix_(*lines) if lines else ...
    rest = symbols[places]
    flat = np.zeros(rest.size, dtype=np.int8)
    if way & GAPS:
        at = _places(next(streams))
        flat[at] = _signed(next(streams))
    else:
        flat[:] = _signed(next(streams))
    symbols[places] = flat.reshape(rest.shape)
    return symbols, np.float32(step)


def _ways(symbols: Symbols) -> Iterator[tuple[int, list[Bytes]]]:
    """How the symbols can be written, and as which streams of bytes."""
    for lines, rest in without_empty_lines(symbols):
        flat, ends = rest.ravel(), [np.packbits(each) for each in lines]
        there = flat.nonzero()[0]
        own = LINES * bool(lines)
        yield ALL + own, [*ends, _unsigned(flat)]
        yield GAPS + own, [*ends, _gaps(there), _unsigned(flat[there])]


def _written(way: int, streams: list[Bytes], step: np.float32) -> CodedLayer:
    parts = [_packed(stream) for stream in streams]
    content = HEAD.pack(step, way) + b"".join(LENGTH.pack(len(part)) + part for part in parts)
    bits = sum(entropy_bits(stream) for stream in streams)
    return CodedLayer(content, bits, sum(len(stream) for stream in streams), len(streams))


def _packed(stream: Bytes) -> bytes:
    coder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL + 1, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(stream.tobytes()) + coder.flush()


def _streams(content: bytes) -> Iterator[Bytes]:
    at = 0
    while at < len(content):
        (length,) = LENGTH.unpack_from(content, at)
        at += LENGTH.size + length
        yield np.frombuffer(zlib.decompress(content[at - length : at], -zlib.MAX_WBITS), dtype=np.uint8)


def _unsigned(symbols: Symbols) -> Bytes:
    """0, 1, -1, 2, -2, ... as 0, 1, 2, 3, 4, ...

    >>> _unsigned(np.array([0, 1, -1, 127, -127], dtype=np.int8)).tolist()
    [0, 1, 2, 253, 254]
    """
    wide = symbols.astype(np.int16)
    return np.where(wide > 0, 2 * wide - 1, -2 * wide).astype(np.uint8)


def _signed(codes: Bytes) -> Symbols:
    wide = codes.astype(np.int16)
    return np.where(wide % 2, (wide + 1) // 2, -(wide // 2)).astype(np.int8)


def _gaps(places: NDArray[np.int64]) -> Bytes:
    """How many zeros are before each place, in bytes; what is behind the last follows from the weight's shape.

    >>> _gaps(np.array([0, 2, 300])).tolist()
    [0, 1, 255, 42]
    """
    gaps = np.diff(places, prepend=-1) - 1
    ends = (gaps // LONG + 1).cumsum()
    found = np.full(int(ends[-1]) if len(ends) else 0, LONG, dtype=np.uint8)
    found[ends - 1] = gaps % LONG
    return found


def _places(gaps: Bytes) -> NDArray[np.int64]:
    steps = gaps.astype(np.int64) + (gaps != LONG)
    return (steps.cumsum() - 1)[gaps != LONG]
