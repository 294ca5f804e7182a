"""PSP-entropy of order n >= 2 of one layer: the joint entropy of pairs, or of n-tuples, of its neurons."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropy.information.formulas import Counts, binary_entropy, joint_entropy, psp_entropy
from entropy.information.jackknife import jackknife_error
from entropy.information.pair_entropies import Tile
from entropy.information.panel import leave_one_out_joint_means

Floats = NDArray[np.float64]

MATRIX = 512
"""neurons up to which the whole table of pairs is kept"""


@dataclass(frozen=True)
class JointEntropy:
    """What a layer's joint entropies are summarised by. In bits, summed over classes: at most n a class.

    All unordered tuples of a layer's neurons, or a sample of them drawn without replacement.
    """

    order: int
    looked_at: int
    existing: int
    """C(neurons, order)"""
    mean: float
    std: float
    """of the tuples looked at"""
    min: float
    max: float
    alive_mean: float
    """over the tuples in which every neuron is alive"""
    corrected_mean: float
    agreement_mean: float
    """h(P(all n in the same state | class)), at most 1 a class"""
    multi_information_mean: float
    """sum of the n first orders minus the joint entropy: what the neurons of a tuple repeat of each other"""
    replicates: Floats
    """corrected mean with each block of examples left out (B,)"""
    matrix: Floats | None = field(default=None, repr=False)
    """the joint entropy of each pair (n, n), of small layers; the diagonal is the first order"""

    @property
    def sampling_error(self) -> float:
        """Standard error of `mean` for the mean over all tuples: s / sqrt(K - 1) sqrt(1 - K / C(N, n))."""
        if self.looked_at == self.existing:
            return 0.0
        return self.std / math.sqrt(self.looked_at - 1) * math.sqrt(1 - self.looked_at / self.existing)

    def summary(self, used: int, available: int) -> dict[str, Any]:
        """What replaces and joins a layer's first-order entry in the JSON object."""
        return {
            "mean": self.mean,
            "std": self.std,
            "min": self.min,
            "max": self.max,
            "alive_mean": self.alive_mean,
            "corrected_mean": self.corrected_mean,
            "agreement_mean": self.agreement_mean,
            "multi_information_mean": self.multi_information_mean,
            "stderr": jackknife_error(self.replicates, used, available),
            "stderr_new_images": jackknife_error(self.replicates, used, math.inf),
            "tuples": self.looked_at,
            "tuples_existing": self.existing,
            "stderr_tuples": self.sampling_error,
        }


def of_all_pairs(tiles: Iterable[Tile], entropy: Floats, alive: NDArray[np.bool_], panel: Counts) -> JointEntropy:
    """The joint entropy of all pairs of a layer, whose neurons have this first order (n,); `panel`: joint states of
    some, by blocks.
    """
    neurons, pairs = len(entropy), comb(len(entropy), 2)
    values, agreement, alive_sum, excess = _Moments(), _Moments(), 0.0, 0.0
    matrix = np.zeros((neurons, neurons)) if neurons <= MATRIX else None
    for tile in tiles:
        joint, agreeing = tile.joint.cpu().numpy(), tile.agreement.cpu().numpy()
        inside = np.triu(np.ones(joint.shape, bool), 1) if tile.diagonal else ...
        if matrix is not None:
            matrix[tile.rows, tile.columns] = np.triu(joint) if tile.diagonal else joint
        values.add(joint[inside].ravel())
        agreement.add(agreeing[inside].ravel())
        among_alive = np.triu(joint, 1) if tile.diagonal else joint
        alive_sum += float(alive[tile.rows].astype(float) @ among_alive @ alive[tile.columns])
        excess += tile.excess
    alive_pairs = comb(int(alive.sum()), 2)
    return JointEntropy(
        order=2,
        looked_at=pairs,
        existing=pairs,
        mean=values.mean,
        std=values.std,
        min=values.min,
        max=values.max,
        alive_mean=alive_sum / alive_pairs if alive_pairs else math.nan,
        corrected_mean=values.mean + excess / pairs,
        agreement_mean=agreement.mean,
        multi_information_mean=2 * float(entropy.mean()) - values.mean,
        replicates=leave_one_out_joint_means(panel),
        matrix=None if matrix is None else matrix + np.triu(matrix, 1).T,
    )


def of_tuples(tuples: NDArray[np.int64], counts: Counts, alive: NDArray[np.bool_]) -> JointEntropy:
    """The joint entropy of chosen tuples (K, n) of neurons, from how often each joint state occurred by block and class
    (B, C, K, 2^n).
    """
    total = counts.sum(0, dtype=np.int64)
    order = tuples.shape[1]
    joint, corrected = joint_entropy(total), joint_entropy(total, corrected=True)
    observed = total.sum(-1)[:, 0]
    present = observed > 0
    agree = total[present][..., [0, -1]].sum(-1) / observed[present, None]
    on = [total[..., (np.arange(2**order) >> digit & 1).astype(bool)].sum(-1) for digit in range(order)]
    alone = np.sum([psp_entropy(one, observed) for one in on], axis=0)
    values, alive_values = _Moments(), _Moments()
    values.add(joint)
    alive_values.add(joint[alive[tuples].all(1)])
    return JointEntropy(
        order=order,
        looked_at=len(tuples),
        existing=comb(len(alive), order),
        mean=values.mean,
        std=values.std,
        min=values.min,
        max=values.max,
        alive_mean=alive_values.mean,
        corrected_mean=float(corrected.mean()),
        agreement_mean=float(binary_entropy(agree).sum(0).mean()),
        multi_information_mean=float((alone - joint).mean()),
        replicates=leave_one_out_joint_means(counts),
    )


def of_nothing(order: int) -> JointEntropy:
    """The joint entropy of a layer with fewer neurons than the order: NaN throughout."""
    nan = math.nan
    return JointEntropy(order, 0, 0, nan, nan, nan, nan, nan, nan, nan, nan, replicates=np.empty(0))


class _Moments:
    """Mean, spread (of the population) and range of numbers that come in parts; NaN of none."""

    def __init__(self) -> None:
        self.count, self._mean, self._squares = 0, 0.0, 0.0
        self._min, self._max = math.inf, -math.inf

    def add(self, values: Floats) -> None:
        """Take in some more (Chan, Golub and LeVeque's update, which does not cancel)."""
        if not values.size:
            return
        count, mean = self.count + values.size, float(values.mean())
        shift = mean - self._mean
        self._squares += float(((values - mean) ** 2).sum()) + shift**2 * self.count * values.size / count
        self._mean += shift * values.size / count
        self.count = count
        self._min, self._max = min(self._min, float(values.min())), max(self._max, float(values.max()))

    @property
    def mean(self) -> float:
        return self._mean if self.count else math.nan

    @property
    def std(self) -> float:
        return math.sqrt(self._squares / self.count) if self.count else math.nan

    @property
    def min(self) -> float:
        return self._min if self.count else math.nan

    @property
    def max(self) -> float:
        return self._max if self.count else math.nan
