"""The PSP-entropy of one layer's neurons, and the numbers a layer is summarised by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropy.counting.responses import selectivity_index
from entropy.information.formulas import (
    Counts,
    class_information,
    corrected_entropy,
    frequencies,
    normalised_information,
    psp_entropy,
    state_entropy,
)
from entropy.information.jackknife import jackknife_error, leave_one_out_means
from entropy.information.joint import JointEntropy
from entropy.information.permutations import permutation_p

Floats = NDArray[np.float64]


TILE = 2**22
"""counts by class and neuron that are turned into entropies together: arrays of that size are made on the way"""


@dataclass(frozen=True)
class EachNeuron:
    """Numbers of each neuron (n,) of a layer, over all classes; entropies in bits."""

    on: Counts
    """ON states"""
    entropy: Floats
    """PSP-entropy"""
    corrected: Floats
    """the same with the Miller-Madow correction"""
    information: Floats
    """mutual information of state and class"""
    normalised: Floats
    """the same over the mean of both entropies"""
    state: Floats
    """entropy of the state whatever the class"""

    @staticmethod
    def joined(parts: Sequence[EachNeuron]) -> EachNeuron:
        """The numbers of several runs of neurons as those of one, in order."""
        each = {field.name: [getattr(part, field.name) for part in parts] for field in fields(EachNeuron)}
        return EachNeuron(**{name: np.concatenate(values) for name, values in each.items()})


@dataclass(frozen=True)
class LayerEntropy:
    """How often each of a layer's n neurons was ON in each of C classes, and the entropies (n,) that follow, in bits.

    A neuron is ON where its post-synaptic potential z is above 0.
    """

    name: str
    shape: tuple[int, ...]
    """what the neurons are laid out as; n is its product"""
    output: bool
    """whether this is the network's output layer"""
    labels: tuple[int, ...]
    """the C classes that occur, ascending: those of the rows below"""
    block_counts: Counts
    """ON states per block of examples, class that occurs and neuron (B, C, n)"""
    block_observed: Counts
    """states looked at per block and class that occurs (B, C)"""
    used: int
    """examples measured"""
    available: int
    """examples in the split they were taken from"""
    clamp: float = 0.0
    """how far the frequencies are kept from 0 and 1, as the published code does (1e-4)"""
    joint: JointEntropy | None = None
    """of order 2 or more, where that was asked for"""
    responses: Floats | None = None
    """mean activation per class that occurs and neuron (C, n), where that was asked for and there is an activation"""
    ties: int | None = None
    """potentials that are zero to rounding, where that was asked for"""
    permuted: Floats | None = None
    """class information under random permutations of the labels (R, n), where that was asked for"""

    @property
    def counts(self) -> Counts:
        """ON states per class that occurs and neuron (C, n)."""
        return self.block_counts.sum(0, dtype=np.int64)

    @cached_property
    def observed(self) -> Counts:
        """States looked at per class that occurs (C,)."""
        return self.block_observed.sum(0, dtype=np.int64)

    @property
    def entropy(self) -> Floats:
        """The PSP-entropy of each neuron (n,), in bits, summed over classes."""
        return self.neurons.entropy

    @property
    def corrected(self) -> Floats:
        """The PSP-entropy of each neuron (n,), in bits, with the Miller-Madow correction for few examples."""
        return self.neurons.corrected

    @property
    def information(self) -> Floats:
        """Mutual information of each neuron's state and the class, I(state; class), in bits (n,)."""
        return self.neurons.information

    @property
    def p_on(self) -> Floats:
        """P(ON | class) (C, n)."""
        return frequencies(self.counts, self.observed)

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Neurons that are OFF for every example (n,)."""
        return self.neurons.on == 0

    @property
    def always_on(self) -> NDArray[np.bool_]:
        """Neurons that are ON for every example (n,)."""
        return self.neurons.on == self.observed.sum()

    @cached_property
    def neurons(self) -> EachNeuron:
        """What follows from the counts of each neuron by itself, worked out for `TILE` counts at a time."""
        width = max(2, TILE // max(1, len(self.observed)))
        starts = range(0, self.block_counts.shape[2], width)
        return EachNeuron.joined([self._neurons(slice(start, start + width)) for start in starts])

    def _neurons(self, some: slice) -> EachNeuron:
        on, observed = self.block_counts[:, :, some].sum(0, dtype=np.int64), self.observed
        return EachNeuron(
            on=on.sum(0),
            entropy=psp_entropy(on, observed, self.clamp),
            corrected=corrected_entropy(on, observed),
            information=class_information(on, observed),
            normalised=normalised_information(on, observed),
            state=state_entropy(on, observed),
        )

    def summary(self) -> dict[str, Any]:
        """The layer's entry in the JSON object. NaN where there is nothing to average. `std` is of the population."""
        entropy, alive = self.entropy, ~(self.dead | self.always_on)
        states = self.neurons.state
        share = self.information[states > 0] / states[states > 0]
        replicates = leave_one_out_means(self.block_counts, self.block_observed)
        first_order = {
            "name": self.name,
            "neurons": entropy.size,
            "shape": list(self.shape),
            "mean": mean(entropy),
            "std": float(entropy.std()),
            "min": float(entropy.min()),
            "max": float(entropy.max()),
            "dead": int(self.dead.sum()),
            "always_on": int(self.always_on.sum()),
            "alive_mean": mean(entropy[alive]),
            "corrected_mean": mean(self.corrected),
            "stderr": jackknife_error(replicates, self.used, self.available),
            "stderr_new_images": jackknife_error(replicates, self.used, math.inf),
            "class_information_mean": mean(self.information),
            "class_information_normalised_mean": mean(share),
            "normalised_mutual_information_mean": mean(self.neurons.normalised),
            "output": self.output,
        }
        return first_order | self._on_request()

    def _on_request(self) -> dict[str, Any]:
        """What was asked for beside the first order."""
        found: dict[str, Any] = {}
        if self.joint is not None:
            found |= {"first_order_mean": mean(self.entropy)} | self.joint.summary(self.used, self.available)
        if self.responses is not None:
            selectivity = selectivity_index(self.responses)
            found["selectivity_mean"] = mean(selectivity[~np.isnan(selectivity)])
        if self.ties is not None:
            found["ties"] = self.ties
        if self.permuted is not None:
            means = self.permuted.mean(1)
            found["permuted_information_mean"] = mean(means)
            found["permutation_p"] = float(permutation_p(self.information.mean(), means))
        return found


def network_mean(layers: Sequence[LayerEntropy]) -> float:
    """Mean PSP-entropy over all hidden neurons, every neuron (or tuple of a layer) alike; NaN without hidden layer."""
    hidden = [layer for layer in layers if not layer.output]
    weights = [layer.entropy.size if layer.joint is None else layer.joint.existing for layer in hidden]
    means = [mean(layer.entropy) if layer.joint is None else layer.joint.mean for layer in hidden]
    there = [(weight, value) for weight, value in zip(weights, means, strict=True) if weight]
    total = sum(weight for weight, _ in there)
    return sum(weight / total * value for weight, value in there) if there else math.nan


def mean(values: Floats) -> float:
    """The mean, NaN (and no warning) of nothing."""
    return float(values.mean()) if values.size else math.nan
