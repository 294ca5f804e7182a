"""How far two masks keep the same weights, beside what independent masks of the same counts would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.uint8)
"""how many bits of each byte are 1"""


@dataclass(frozen=True)
class Overlap:
    """How far two masks over the same layers keep the same weights; every array holds one number a layer."""

    total: NDArray[np.int64]
    first: NDArray[np.int64]
    """kept by the first"""
    second: NDArray[np.int64]
    both: NDArray[np.int64]

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return self.first + self.second

    @property
    def expected(self) -> NDArray[np.float64]:
        """Mean of `both` over independent, uniformly drawn masks of these counts: first second / total."""
        return self.first * self.second / self.total

    @property
    def variance(self) -> NDArray[np.float64]:
        """The variance of `both` if each mask were drawn at random with its counts (hypergeometric)."""
        rest = (self.total - self.first) * (self.total - self.second)
        return self.expected * rest / np.maximum(self.total * (self.total - 1.0), 1)

    def jaccard(self) -> float:
        """|A and B| / |A or B| of the weights kept in all layers together; NaN where neither keeps any."""
        return float(_index(self.both.sum(), self._sizes.sum()))

    def jaccard_by_layer(self) -> NDArray[np.float64]:
        """The Jaccard index of the two masks in each layer."""
        return _index(self.both, self._sizes)

    def jaccard_expected(self) -> float:
        """The index at the expected intersection."""
        return float(_index(self.expected.sum(), self._sizes.sum()))

    def jaccard_expected_by_layer(self) -> NDArray[np.float64]:
        """The Jaccard index that random masks of the same counts would have, in each layer."""
        return _index(self.expected, self._sizes)

    def excess(self) -> float:
        """How many standard deviations the intersection lies above the expected; NaN where it cannot vary."""
        return float(_quotient((self.both - self.expected).sum(), np.sqrt(self.variance.sum())))

    def excess_by_layer(self) -> NDArray[np.float64]:
        """How many standard deviations the overlap exceeds that of random masks, in each layer."""
        return _quotient(self.both - self.expected, np.sqrt(self.variance))


def overlap(first: Mapping[str, Bits], second: Mapping[str, Bits]) -> Overlap:
    """Compare two masks layer by layer.

    Of 4 weights one mask keeps 2 and the other 2, one of them in common: index 1/3, and 1 is what chance gives.

    >>> a, b = {"w": np.array([1, 1, 0, 0], bool)}, {"w": np.array([0, 1, 1, 0], bool)}
    >>> found = overlap(a, b)
    >>> round(found.jaccard(), 4), round(found.jaccard_expected(), 4), found.excess()
    (0.3333, 0.3333, 0.0)
    """

    one, other = ({name: np.packbits(mask) for name, mask in masks.items()} for masks in (first, second))
    return overlap_of_bits(one, other, {name: mask.size for name, mask in first.items()})


def overlap_of_bits(first: Mapping[str, Bytes], second: Mapping[str, Bytes], totals: Mapping[str, int]) -> Overlap:
    """Compare two masks layer by layer, as `overlap` does, packed into bytes, eight weights each, the last filled with
    0; `totals`: of each layer.

    >>> a, b = {"w": np.packbits([1, 1, 0, 0])}, {"w": np.packbits([0, 1, 1, 0])}
    >>> round(overlap_of_bits(a, b, {"w": 4}).jaccard(), 4)
    0.3333
    """

    def counts(masks: Sequence[Bytes]) -> NDArray[np.int64]:
        return np.array([ONES[mask].sum(dtype=np.int64) for mask in masks], dtype=np.int64)

    ours, theirs = list(first.values()), [second[name] for name in first]
    total = np.array([totals[name] for name in first], dtype=np.int64)
    return Overlap(total, counts(ours), counts(theirs), counts([a & b for a, b in zip(ours, theirs, strict=True)]))


def _index(both: Any, sizes: Any) -> NDArray[np.float64]:
    """both / union."""
    return _quotient(both, sizes - both)


def _quotient(above: Any, below: Any) -> NDArray[np.float64]:
    """NaN where the denominator is 0."""
    below = np.asarray(below, dtype=float)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
