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
    """Gradient signal preservation: before training, remove the weights without which the gradient is largest, those
    with the largest -w (H g): g is the gradient of the loss and H its Hessian, both of the outputs divided by
    --temperature.

    The network is scored with the weights it has, where the published code draws new ones for its linear layers while
    it scores.

    Two draws of the 10 examples of each class rank the weights alike at Spearman 0.39 to 0.75, and of the weights kept
    at a sparsity of 90 % they share 46 to 83 % (python -m benchmarks.rank_stability: small networks, digits). In a
    narrow VGG-16 it was 0.14 to 0.26.
    """

    name: ClassVar[str] = "grasp"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "largest -w (H g) at initialisation, at once: the gradient stays large"
    paper: ClassVar[str] = "Wang et al. 2020"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=_published)

    def composition(self) -> Composition:
        return Composition(scorer=GradientFlow(self.probe), schedule=OneShot(), start=FromEpoch(0))
