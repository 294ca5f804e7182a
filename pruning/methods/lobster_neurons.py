"""LOBSTER, by neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
from pruning.schedules.every_epoch import EveryEpoch
from pruning.scorers.magnitude import Magnitude
from pruning.selection.loss_bound import LossBound
from pruning.spaces.elements import Elements
from pruning.spaces.units import Units
from pruning.triggers.plateau import Plateau
from pruning.unit_scorers.largest import Largest
from pruning.updates.neuron_loss_insensitivity import NeuronLossInsensitivity


@dataclass(frozen=True)
class LobsterNeurons(Method):
    """LOBSTER by neuron, as in the published code: in every step, weights and biases of neurons to whose potential the
    loss is insensitive shrink, all of a neuron alike. When the validation loss stops falling, the smallest are removed:
    as many as it bears without rising by more than --tolerance, but never beyond what is asked for.

    The slope of the loss by a neuron's potential is averaged over the mini-batch of which the loss is the mean, as in
    the published code: it falls with the size of the batch, and so does the protection that it gives.
    """

    name: ClassVar[str] = "lobster-neurons"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "neurons to which the loss is insensitive shrink; a threshold under a bound removes"
    paper: ClassVar[str] = "Tartaglione et al. 2022 (code: NeuronLOBSTER)"
    remedy: ClassVar[str] = "a larger --strength, --tolerance or --epochs, or a smaller --plateau"

    start: StartFlag = "initialisation"
    strength: float = 1e-4
    """lambda: fraction of a weight that a step takes where the loss does not depend on its neuron at all (it is not
    multiplied by the learning rate)"""
    rescaled: bool = False
    """divide the sensitivities of a layer by their largest"""
    remove: Literal["weights", "units"] = "weights"
    """what falls below the threshold. weights: single ones, as in the published code; units: whole neurons and
    channels, once their largest weight is below it"""
    tolerance: float = 0.05
    """how far a cut may raise the validation loss, as a fraction of it"""
    plateau: int = 1
    """how many epochs in a row the validation loss must not reach a new low before a cut is made, which then starts
    from the weights of the last low"""

    def composition(self) -> Composition:
        whole = self.remove == "units"
        return Composition(
            scorer=Largest() if whole else Magnitude(),
            space=Units() if whole else Elements(),
            schedule=EveryEpoch(),
            select=LossBound(self.tolerance),
            trigger=Plateau(self.plateau),
            update=NeuronLossInsensitivity(self.strength, self.rescaled),
            start=start_at(self.start),
        )
