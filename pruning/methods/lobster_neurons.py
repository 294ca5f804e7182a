"""LOBSTER, by neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.regularised_neurons import RegularisedNeurons
from pruning.updates.neuron_loss_insensitivity import NeuronLossInsensitivity


@dataclass(frozen=True)
class LobsterNeurons(RegularisedNeurons):
    """LOBSTER by neuron, as in the published code: in every step, weights and biases of neurons to whose potential the
    loss is insensitive shrink, all of a neuron alike. When the validation loss stops falling, the smallest are removed:
    as many as it bears without rising by more than --tolerance, but never beyond what is asked for.

    The slope of the loss by a neuron's potential is averaged over the mini-batch of which the loss is the mean, as in
    the published code: it falls with the size of the batch, and so does the protection that it gives.
    """

    name: ClassVar[str] = "lobster-neurons"
    summary: ClassVar[str] = "neurons to which the loss is insensitive shrink; a threshold under a bound removes"
    paper: ClassVar[str] = "Tartaglione et al. 2022 (code: NeuronLOBSTER)"

    rescaled: bool = False
    """divide the sensitivities of a layer by their largest"""

    def update(self) -> NeuronLossInsensitivity:
        return NeuronLossInsensitivity(self.strength, self.rescaled)
