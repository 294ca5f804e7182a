"""SNIP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.probe import Probe
from pruning.context.starts import FromEpoch
from pruning.schedules.one_shot import OneShot
from pruning.scorers.sensitivity import Sensitivity


@dataclass(frozen=True)
class Snip(Method):
    """Before training, remove the weights to which the loss of a mini-batch is least sensitive, those with the least |w
    dL/dw|.

    Two draws of the 128 examples rank the weights alike at Spearman 0.88 to 0.96, and of the weights kept at a sparsity
    of 90 % they share 53 to 87 % (python -m benchmarks.rank_stability: small networks, digits).
    """

    name: ClassVar[str] = "snip"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "least |w dL/dw| at initialisation, at once"
    paper: ClassVar[str] = "Lee et al. 2019"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=Probe)

    def composition(self) -> Composition:
        return Composition(scorer=Sensitivity(self.probe), schedule=OneShot(), start=FromEpoch(0))
