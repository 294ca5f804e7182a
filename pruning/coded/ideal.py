"""How many bits the symbols of a layer take ideally: their entropy, with what it costs to say which are zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.int8]


@dataclass(frozen=True)
class Ideal:
    """The bits of a code that knows how frequent each symbol of the layer is, and takes symbols as independent."""

    lines: float
    """to say which rows and columns have nothing but zeros: rows x h(share) + columns x h(share)"""
    mask: float
    """to say which of the other weights are zero: their number x h(share)"""
    values: float
    """the values of those that are not: their number x entropy"""

    @property
    def bits(self) -> float:
        """The entropy bound of a layer in bits: of its empty lines, of its mask and of the values that are left."""
        return self.lines + self.mask + self.values


def entropy_bits(symbols: NDArray[Any]) -> float:
    """N H of N symbols, H = -sum p log2 p over their frequencies.

    >>> entropy_bits(np.array([0, 0, 0, 1])).__round__(4)
    3.2451
    """
    counts = np.unique(symbols, return_counts=True)[1]
    total = counts.sum()
    return float((counts * (np.log2(total) - np.log2(counts))).sum()) if total else 0.0


def ideal(symbols: Symbols) -> Ideal:
    """The cheaper of two codes of a layer's symbols (rows, columns, ...): all of them, or those in rows and columns
    that are not wholly zero, and which these are.

    By all of them mask and values together are N H(symbols). Of 1000 symbols, of which 900 scattered ones are zero and
    the others equal, that is 469 bits; where these zeros are nine rows of ten, only the rows are to be said.

    >>> scattered, rows = np.zeros((2, 10, 100), dtype=np.int8)
    >>> scattered[np.arange(100) % 10, np.arange(100)] = rows[0] = 1
    >>> round(ideal(scattered).bits, 1), round(ideal(rows).bits, 1)
    (469.0, 4.7)
    """
    return min((_of(rest, lines) for lines, rest in without_empty_lines(symbols)), key=lambda each: each.bits)


def without_empty_lines(symbols: Symbols) -> Iterator[tuple[list[NDArray[np.bool_]], Symbols]]:
    """First the symbols as they are; then, where rows (axis 0) or columns (axis 1) are wholly zero, those of the
    others, with which of the rows and which of the columns are not."""
    yield [], symbols
    there, inner = symbols != 0, tuple(range(2, symbols.ndim))
    rows, columns = np.asarray(there.any((1, *inner))), np.asarray(there.any((0, *inner)))
    if not (rows.all() and columns.all()):
        yield [rows, columns], symbols[rows][:, columns]


def _of(symbols: Symbols, lines: list[NDArray[np.bool_]]) -> Ideal:
    kept = symbols != 0
    return Ideal(sum((entropy_bits(own) for own in lines), 0.0), entropy_bits(kept), entropy_bits(symbols[kept]))
