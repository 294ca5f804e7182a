"""Iterative magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.paced import Paced
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class IterativeMagnitude(Paced):
    """Remove the weights of smallest magnitude |w| in rounds, and train after each.

    For sparsities of your own choice in the rounds: --rounds 1 --sparsity 0.5 0.7 0.8.
    """

    name: ClassVar[str] = "iterative-magnitude"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights in rounds, fine-tuned, retrained or rewound after each"
    paper: ClassVar[str] = "Han et al. 2015; Frankle & Carbin 2019; Zimmer et al. 2023; Janusz et al. 2025"
    remedy: ClassVar[str] = "more --epochs, or a smaller --wait or fewer --rounds"

    def composition(self) -> Composition:
        return Composition(scorer=Magnitude(), **self.course())
