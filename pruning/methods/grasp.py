"""GraSP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.probe import Probe
from pruning.context.starts import FromEpoch
from pruning.schedules.one_shot import OneShot
from pruning.scorers.gradient_flow import GradientFlow


def _published() -> Probe:
    return Probe(examples=10, by="class", temperature=200.0, mode="train")


@dataclass(frozen=True)
class Grasp(Method):
    """Gradient signal preservation: remove the weights without which the gradient is largest, before training.

    Those with the largest -w (H g). The network is scored as it is: the published code draws new weights for its linear
    layers while it scores.
    """

    name: ClassVar[str] = "grasp"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "largest -w (H g) at initialisation, at once: the gradient stays large"
    paper: ClassVar[str] = "Wang et al. 2020"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=_published)

    def composition(self) -> Composition:
        return Composition(scorer=GradientFlow(self.probe), schedule=OneShot(), start=FromEpoch(0))
