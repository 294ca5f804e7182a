"""LOBSTER."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
from pruning.schedules.every_epoch import EveryEpoch
from pruning.scorers.magnitude import Magnitude
from pruning.selection.loss_bound import LossBound
from pruning.triggers.plateau import Plateau
from pruning.updates.insensitivity import Form, Insensitivity


@dataclass(frozen=True)
class Lobster(Method):
    """LOss-Based SensiTivity rEgulaRization: in every step, weights to which the loss is insensitive shrink. When the
    validation loss stops falling, the smallest weights are removed: as many as it bears without rising by more than
    --tolerance, but never beyond the sparsity asked for.

    Other than the published code, this removes weights alone (biases and normalisations shrink, but stay), and of the
    last two thresholds of its search it takes the one that keeps the bound, where the published code takes the middle
    between it and one that breaks the bound.
    """

    name: ClassVar[str] = "lobster"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "insensitive weights shrink; a threshold under a bound on the loss removes them"
    paper: ClassVar[str] = "Tartaglione et al. 2022"
    remedy: ClassVar[str] = "a larger --strength, --tolerance or --epochs, or a smaller --plateau"

    start: StartFlag = "initialisation"
    strength: float = 1e-4
    """lambda: fraction of a weight that a step takes where the loss does not depend on it at all (it is not multiplied
    by the learning rate)"""
    form: Form = "code"
    """code: weights shrink after the optimiser's step, as in the authors' code; paper: step and shrinkage are both
    computed from the weights before the step"""
    tolerance: float = 0.05
    """how far a cut may raise the validation loss, as a fraction of it"""
    plateau: int = 1
    """how many epochs in a row the validation loss must not reach a new low before a cut is made, which then starts
    from the weights of the last low (0, the published default, cuts after every epoch, even while nothing is learned
    yet and every cut seems harmless)"""

    def composition(self) -> Composition:
        return Composition(
            scorer=Magnitude(),
            schedule=EveryEpoch(),
            select=LossBound(self.tolerance),
            trigger=Plateau(self.plateau),
            update=Insensitivity(self.strength, self.form),
            start=start_at(self.start),
        )
