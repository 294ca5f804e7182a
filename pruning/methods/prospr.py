"""ProsPr."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.probe import Probe
from pruning.context.starts import FromEpoch
from pruning.schedules.one_shot import OneShot
from pruning.scorers.look_ahead import LookAhead


@dataclass(frozen=True)
class ProsPr(Method):
    """Prospect pruning: remove the weights to which the loss after a few steps of training is least sensitive."""

    name: ClassVar[str] = "prospr"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "least sensitivity of the loss after a few unrolled steps of training, at once"
    paper: ClassVar[str] = "Alizadeh et al. 2022"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=lambda: Probe(mode="train"))
    steps: int = 3
    """of gradient descent before the loss (0: SNIP)"""
    inner_lr: float = 0.1
    """learning rate of these steps"""
    inner_momentum: float = 0.0
    """momentum of these steps"""
    fresh_batches: bool = False
    """other examples for every step"""
    first_order: bool = False
    """take the gradients of these steps for constants"""

    def composition(self) -> Composition:
        scorer = LookAhead(
            self.probe, self.steps, self.inner_lr, self.inner_momentum, self.fresh_batches, self.first_order
        )
        return Composition(scorer=scorer, schedule=OneShot(), start=FromEpoch(0))
