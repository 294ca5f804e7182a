"""SBP-SR."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.probe import Probe
from pruning.context.starts import EdgeOfChaos
from pruning.recoveries.go_on import GoOn
from pruning.recoveries.rescale import Rescale
from pruning.schedules.one_shot import OneShot
from pruning.scorers.sensitivity import Sensitivity


@dataclass(frozen=True)
class SbpSr(Method):
    """Sensitivity-based pruning at the edge of chaos: before training, the weights of each layer are scaled so that
    gradients neither grow nor fade with depth, those to which the loss is least sensitive (|w dL/dw|) are removed, and
    the others are scaled once more.

    Two draws of the 128 examples rank the weights alike at Spearman 0.89 to 0.96, and of the weights kept at a sparsity
    of 90 % they share 75 to 87 % (python -m benchmarks.rank_stability: small networks, digits).

    For residual networks, train the parent with stable residuals, for example --model stable-resnet20.
    """

    name: ClassVar[str] = "sbp-sr"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "least |w dL/dw| from the edge of chaos, at once; survivors scaled back to it"
    paper: ClassVar[str] = "Hayou et al. 2021"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=Probe)
    variance: float = 2.0
    """what the weights are scaled to: number of inputs of a unit times mean squared weight (2 for networks of ReLU, 1
    for tanh); biases become 0"""
    rescale: Annotated[
        bool,
        tyro.conf.arg(
            help="leave the weights that stay as they are after the cut (otherwise each layer's are scaled again, to "
            "the same number)",
            help_behavior_hint="",
        ),
    ] = True

    def composition(self) -> Composition:
        return Composition(
            scorer=Sensitivity(self.probe),
            schedule=OneShot(),
            recovery=Rescale(self.variance) if self.rescale else GoOn(),
            start=EdgeOfChaos(self.variance),
        )
