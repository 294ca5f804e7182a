"""SNIP-it before training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.probe import Probe
from pruning.context.starts import FromEpoch
from pruning.schedules.halving import Halving
from pruning.scorers.sensitivity import Sensitivity


@dataclass(frozen=True)
class SnipIt(Method):
    """SNIP in several cuts before training, each halving what is left of the way to the sparsity; for each, the
    sensitivities |w dL/dw| are computed anew.

    They are those of the cross-entropy, where the published code takes the mean output at the label.

    The 2560 examples are drawn from larger training parts alone; two halves of the 1437 digits rank the weights alike
    at Spearman 0.94 to 0.98, and of the weights kept at a sparsity of 90 % they share 73 to 94 % (python -m
    benchmarks.rank_stability: small networks, digits).

    Masks of several cuts depend on single weights: with one weight more in the first cut, 21 to 47 % of the survivors
    at a sparsity of 98 % are others (python -m benchmarks.rounding).
    """

    name: ClassVar[str] = "snip-it"
    phase: ClassVar[Literal["before training", "during training"]] = "before training"
    summary: ClassVar[str] = "least |w dL/dw| at initialisation, scored anew for each of several halving cuts"
    paper: ClassVar[str] = "Verdenius et al. 2020"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=lambda: Probe(examples=2560))
    steps: int = 5
    """number of halvings between the first cut, to a sparsity of one half, and the last, to the sparsity asked for"""

    def composition(self) -> Composition:
        return Composition(scorer=Sensitivity(self.probe), schedule=Halving(self.steps), start=FromEpoch(0))
