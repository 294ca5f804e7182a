"""What an estimator of layer entropy is: which states a rectifier's input has, and how its channels are averaged.

A neuron is a channel, its positions pooled, whatever the class. All entropies are in bits, between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from entropy.information.formulas import binary_entropy
from minima.store.registry import members

if TYPE_CHECKING:
    from entropy.layers.signs import Integers, Signs

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Estimator:
    """Base of the members of entropy/layers/estimators."""

    name: ClassVar[str]
    paper: ClassVar[str]
    meaning: ClassVar[str]
    """what ON is and which neurons are averaged, in a line below the table"""
    published_clamp: ClassVar[float]
    """the least probability that the published code takes the logarithm of"""

    def states(self, signs: Signs) -> tuple[Integers, Integers]:
        """How often each neuron was ON, and how many of its states count (n,)."""
        raise NotImplementedError

    def p_on(self, signs: Signs) -> Floats:
        """Frequency of ON (n,); NaN for a neuron without a state that counts."""
        on, counted = self.states(signs)
        return np.divide(on, counted, out=np.full(on.shape, np.nan), where=counted > 0)

    def always_on(self, signs: Signs) -> Flags:
        """Neurons all of whose states are ON (n,)."""
        on, counted = self.states(signs)
        return (on == counted) & (on > 0)

    def always_off(self, signs: Signs) -> Flags:
        """Neurons that are never ON (n,)."""
        return self.states(signs)[0] == 0

    def averaged(self, signs: Signs) -> Flags:
        """The neurons that the layer's entropy is the mean over (n,)."""
        return np.ones(signs.observed.shape, bool)

    def layer_entropy(self, signs: Signs) -> float:
        """H_l: mean over the averaged neurons of h(p) = -p log2 p - (1 - p) log2(1 - p); 0 if there are none.

        A neuron without a state that counts has an entropy of 0.
        """
        bits = np.nan_to_num(binary_entropy(self.p_on(signs)))
        return _mean(bits[self.averaged(signs)])

    def published_entropy(self, signs: Signs) -> float:
        """The layer's entropy of one mini-batch as published: no logarithm of less than `published_clamp` is taken."""
        p = self.p_on(signs)
        bits = sum(-q * np.log2(np.maximum(q, self.published_clamp)) for q in (p, 1 - p))
        return _mean(np.nan_to_num(bits)[self.averaged(signs)])

    def removes(self, entropies: Mapping[str, float]) -> list[str]:
        """The layers whose rectifier the method takes out next: those without entropy."""
        return [layer for layer, entropy in entropies.items() if entropy == 0]


def estimators() -> dict[str, type[Estimator]]:
    """Every estimator of a layer's entropy by its name."""
    return members("entropy.layers.estimators", Estimator)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0
