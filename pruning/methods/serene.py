"""SeReNe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.regularised_neurons import RegularisedNeurons
from pruning.updates.neuron_insensitivity import NeuronInsensitivity, Sensitivity


@dataclass(frozen=True)
class SeReNe(RegularisedNeurons):
    """SEnsitivity-based REgularization of NEurons: in every step, the weights of neurons to which the outputs are
    insensitive shrink, all of a neuron alike. When the validation loss stops falling, the smallest are removed: as many
    as it bears without rising by more than --tolerance, but never beyond what is asked for.

    The published code of the convolutions' sensitivity cannot run; this takes derivatives of single examples' outputs,
    averaged over examples and positions. Of the last two thresholds of its search it takes the one that keeps the
    bound.
    """

    name: ClassVar[str] = "serene"
    summary: ClassVar[str] = "neurons to which the outputs are insensitive shrink; a threshold under a bound removes"
    paper: ClassVar[str] = "Tartaglione et al. 2022 (SeReNe)"

    sensitivity: Sensitivity = "lower-bound"
    """of a neuron, averaged over examples. full: mean over the outputs k of |dy_k/dz|, a backward pass for each;
    lower-bound: |sum over k of dy_k/dz| / number of outputs, one backward pass; local: 1 where the mean of z is above
    0, else 0"""

    def update(self) -> NeuronInsensitivity:
        return NeuronInsensitivity(self.strength, self.sensitivity)
