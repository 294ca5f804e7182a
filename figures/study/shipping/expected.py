"""What the arrays of an `entropy.psp` result say of one another: most of them follow from the counts of ON states.

A packed file keeps an array that is expected here as its distance from what is expected, in units in the last place:
nearly always 0. Nothing is lost where it is not. Expected numbers must be the same on every machine, to the last bit,
whatever its logarithm and order of summation are: here are sums in order, products and quotients, which are rounded
exactly everywhere, and logarithms of Python's decimal arithmetic, which are as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Found = Mapping[str, NDArray[Any]]
"""arrays of a layer by name: of one checkpoint, or with an axis of the checkpoints before all others"""

DECIMAL = Context(prec=25)
LN2 = DECIMAL.ln(Decimal(2))
CLASSES, EXAMPLES = 10, 10_000
"""up to which what is not counted is looked for among all that may be"""


@dataclass(frozen=True)
class Expected:
    """An array that follows from others of its layer."""

    name: str
    needs: tuple[str, ...]
    """the others"""
    of: Callable[[Found, Integers], Floats]
    """what is expected, given the others and the clue"""
    clue: Callable[[Found], Integers] | None = None
    """one number for each of the array's, found from the array itself and kept as well; None where none is needed"""


def log2(p: Floats) -> Floats:
    """log2 of numbers, the same on every machine; 0 of 0.

    >>> log2(np.array([0.5, 0.0, 1.0])).tolist()
    [-1.0, 0.0, 0.0]
    """
    different, places = np.unique(p, return_inverse=True)
    return np.array([_log2(each) for each in different.tolist()], float)[places].reshape(p.shape)


def _frequency(found: Found, _: Integers) -> Floats:
    observed = found["observed"][..., None]
    return np.divide(found["counts"], observed, out=np.zeros(found["counts"].shape), where=observed > 0)


def _entropy(found: Found, clue: Integers) -> Floats:
    return _summed(_binary(_frequency(found, clue)))


def _corrected(found: Found, clue: Integers) -> Floats:
    """With both states in the classes that counts say, or the binary digits of the clue."""
    if "counts" in found:
        both = (found["counts"] > 0) & (found["counts"] < found["observed"][..., None])
    else:
        both = (clue[..., None, :] >> np.arange(found["observed"].shape[-1])[:, None] & 1) > 0
    return np.asarray(found["entropy"] + _summed(both * _corrections(found)[..., None]))


def _both_states(found: Found) -> Integers:
    """Which classes a neuron has both states in, as binary digits: those whose corrections make up the difference."""
    each = _corrections(found)
    if each.shape[-1] > CLASSES:
        return np.zeros(found["entropy"].shape, np.int64)
    subsets = np.arange(2 ** each.shape[-1])
    sums = (each[..., None, :] * (subsets[:, None] >> np.arange(each.shape[-1]) & 1)).sum(-1)
    return _nearest(sums, found["corrected_entropy"] - found["entropy"])


def _information(found: Found, clue: Integers) -> Floats:
    shares = found["observed"] / _examples(found)
    within = _summed(shares[..., None] * _binary(_frequency(found, clue)))
    return np.maximum(_binary(found["counts"].sum(-2) / _examples(found)) - within, 0.0)


def _normalised(found: Found, clue: Integers) -> Floats:
    """With as many ON states of a neuron as counts say, or the clue."""
    on = found["counts"].sum(-2) if "counts" in found else clue
    total = _binary(on / _examples(found)) + _class_entropy(found)
    return np.divide(2 * found["class_information"], total, out=np.zeros(total.shape), where=total > 0)


def _on_states(found: Found) -> Integers:
    """How often a neuron is ON, or OFF: what its state's entropy is, which the normalisation tells."""
    ratio, examples = found["normalised_mutual_information"], _examples(found)
    most = int(examples.max(initial=0))
    if most > EXAMPLES:
        return np.zeros(ratio.shape, np.int64)
    total = np.divide(2 * found["class_information"], ratio, out=np.zeros(ratio.shape), where=ratio > 0)
    return _nearest(_binary(np.arange(most // 2 + 1) / examples), total - _class_entropy(found))


EXPECTED = (
    Expected("p_on", ("counts", "observed"), _frequency),
    Expected("entropy", ("counts", "observed"), _entropy),
    Expected("class_information", ("counts", "observed"), _information),
    Expected("corrected_entropy", ("counts", "observed", "entropy"), _corrected),
    Expected("corrected_entropy", ("observed", "entropy"), _corrected, _both_states),
    Expected("normalised_mutual_information", ("counts", "observed", "class_information"), _normalised),
    Expected("normalised_mutual_information", ("observed", "class_information"), _normalised, _on_states),
)
"""in the order in which they are found; of two of a name the first whose needs are there"""


@cache
def _log2(p: float) -> float:
    return float(DECIMAL.divide(DECIMAL.ln(Decimal(p)), LN2)) if p > 0 else 0.0


def _binary(p: Floats) -> Floats:
    return np.asarray(0.0 - p * log2(p) - (1 - p) * log2(1 - p))  # 0.0 has one sign


def _summed(values: Floats) -> Floats:
    """The sum over the last axis but one, in its order."""
    total = np.zeros((*values.shape[:-2], values.shape[-1]))
    for row in range(values.shape[-2]):
        total = total + values[..., row, :]
    return total


def _examples(found: Found) -> NDArray[np.int64]:
    """How many there are, with an axis for the neurons."""
    return np.asarray(found["observed"].sum(-1)[..., None])


def _class_entropy(found: Found) -> Floats:
    shares = found["observed"] / _examples(found)
    return -_summed((shares * log2(shares))[..., None])


def _corrections(found: Found) -> Floats:
    """Miller and Madow's of a class in which a neuron has both states."""
    observed = found["observed"]
    return np.divide(1.0, 2 * float(LN2) * observed, out=np.zeros(observed.shape), where=observed > 0)


def _nearest(table: Floats, values: Floats) -> Integers:
    """The place of the entry of a table that is nearest to each value, both with the same leading axis or none."""
    if values.ndim > 1:
        return np.stack([_nearest(*each) for each in zip(table, values, strict=True)])
    order = np.argsort(table, kind="stable")
    middles = (table[order][1:] + table[order][:-1]) / 2
    return np.asarray(order[np.searchsorted(middles, values)], np.int64)
