"""What the methods share that shrink whole neurons in every step and remove by a threshold."""

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
from pruning.unit_criteria.largest import Largest
from pruning.updates.update import Update


@dataclass(frozen=True)
class RegularisedNeurons(Method):
    """Neurons to which something is insensitive shrink; when the validation loss stops falling, the smallest weights or
    neurons are removed, as many as it bears."""

    phase: ClassVar = "during training"
    remedy: ClassVar[str] = "a larger --strength, --tolerance or --epochs, or a smaller --plateau"

    start: StartFlag = "initialisation"
    strength: float = 1e-4
    """lambda: fraction of a weight that a step takes where nothing depends on its neuron at all (it is not multiplied
    by the learning rate)"""
    remove: Literal["weights", "units"] = "weights"
    """what falls below the threshold. weights: single ones, as in the published code, so that a neuron is gone when its
    last weight is; units: whole neurons and channels, once their largest weight is below it"""
    tolerance: float = 0.05
    """how far a cut may raise the validation loss, as a fraction of it"""
    plateau: int = 1
    """how many epochs in a row the validation loss must not reach a new low before a cut is made, which then starts
    from the weights of the last low"""

    def update(self) -> Update:
        """What is done around each step: how neurons shrink."""
        raise NotImplementedError

    def composition(self) -> Composition:
        whole = self.remove == "units"
        return Composition(
            scorer=Largest() if whole else Magnitude(),
            space=Units() if whole else Elements(),
            schedule=EveryEpoch(),
            select=LossBound(self.tolerance),
            trigger=Plateau(self.plateau),
            update=self.update(),
            start=start_at(self.start),
        )
