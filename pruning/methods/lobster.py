"""LOBSTER."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartName, start_at
from pruning.schedules.every_epoch import EveryEpoch
from pruning.scorers.magnitude import Magnitude
from pruning.selection.loss_bound import LossBound
from pruning.triggers.plateau import Plateau
from pruning.updates.insensitivity import Form, Insensitivity


@dataclass(frozen=True)
class Lobster(Method):
    """LOss-Based SensiTivity rEgulaRization: weights to which the loss is insensitive shrink in every step; on a
    plateau of the validation loss, those under the highest threshold that the validation loss bears are removed.

    Unlike in the published code, only weights are removed (biases and norms are shrunk, but never removed), and the
    threshold is held back at the sparsity asked for.
    """

    name: ClassVar[str] = "lobster"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "insensitive weights shrink; a threshold under a bound on the loss removes them"
    paper: ClassVar[str] = "Tartaglione et al. 2022"
    remedy: ClassVar[str] = "a larger --strength, --tolerance or --epochs, or a smaller --plateau"

    start: StartName = "initialisation"
    """initialisation: the parent's weights of epoch 0, by its recipe; parent: its trained weights, at the final rate"""
    strength: float = 1e-4
    """lambda: factor of the shrinkage of a step (not multiplied by the learning rate)"""
    form: Form = "code"
    """code: shrink after the optimiser's step, as the authors' repository does; paper: both at the old weights"""
    tolerance: float = 0.05
    """TWT: relative rise of the validation loss that a cut may cause"""
    plateau: int = 1
    """PWE: epochs without a better validation loss before a cut, which then starts from the best weights (0, the
    published default, cuts after every epoch, even while nothing is learned yet and every cut seems harmless)"""

    def composition(self) -> Composition:
        return Composition(
            scorer=Magnitude(),
            schedule=EveryEpoch(),
            select=LossBound(self.tolerance),
            trigger=Plateau(self.plateau),
            update=Insensitivity(self.strength, self.form),
            start=start_at(self.start),
        )
