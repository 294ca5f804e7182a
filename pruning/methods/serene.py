"""SeReNe."""

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
from pruning.updates.neuron_insensitivity import NeuronInsensitivity, Sensitivity


@dataclass(frozen=True)
class SeReNe(Method):
    """SEnsitivity-based REgularization of NEurons: in every step, the weights of neurons to which the outputs are
    insensitive shrink, all of a neuron alike. When the validation loss stops falling, the smallest are removed: as many
    as it bears without rising by more than --tolerance, but never beyond what is asked for.

    The published code of the convolutions' sensitivity cannot run; this takes derivatives of single examples' outputs,
    averaged over examples and positions. Of the last two thresholds of its search it takes the one that keeps the
    bound.
    """

    name: ClassVar[str] = "serene"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "neurons to which the outputs are insensitive shrink; a threshold under a bound removes"
    paper: ClassVar[str] = "Tartaglione et al. 2022 (SeReNe)"
    remedy: ClassVar[str] = "a larger --strength, --tolerance or --epochs, or a smaller --plateau"

    start: StartFlag = "initialisation"
    sensitivity: Sensitivity = "lower-bound"
    """of a neuron, averaged over examples. full: mean over the outputs k of |dy_k/dz|, a backward pass for each;
    lower-bound: |sum over k of dy_k/dz| / number of outputs, one backward pass; local: 1 where the mean of z is above
    0, else 0"""
    strength: float = 1e-4
    """lambda: fraction of a weight that a step takes where the outputs do not depend on its neuron at all (it is not
    multiplied by the learning rate)"""
    remove: Literal["weights", "units"] = "weights"
    """what falls below the threshold. weights: single ones, as in the published code, so that a neuron is gone when its
    last weight is; units: whole neurons and channels, once their largest weight is below it"""
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
            update=NeuronInsensitivity(self.strength, self.sensitivity),
            start=start_at(self.start),
        )
