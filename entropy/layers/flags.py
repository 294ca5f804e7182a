"""Flags of `python -m entropy.layers`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from entropy.layers.estimator import Estimator, estimators
from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring

ESTIMATOR_FLAG = tyro.conf.arg(help="; ".join(f"{name} ({kind.meaning})" for name, kind in estimators().items()))


@dataclass(frozen=True, kw_only=True)
class Layers(Measuring):
    """Entropy of each layer's rectifier, in bits (EGP, NEPENTHE, EASIER), and whether it could be left out.

    A neuron is a channel, its positions pooled, whatever the class. The papers look at the train split: --split train.
    """

    split: Literal["train", "test"] = "test"
    """which examples; train, as in the papers, includes what training held out for validation"""
    batch_size: int | None = None
    """memory knob: examples per chunk; results do not depend on it, but for those of --compat published"""
    estimator: Annotated[str, ESTIMATOR_FLAG] = "egp"
    compat: Literal["published"] | None = None
    """published: average the entropies of mini-batches, as the published code does; the result then depends on
    --batch-size (default there: 128) and on the order of the examples"""
    zeta: float | None = None
    """fraction of the weights to remove: adds how many of them EGP's rule takes from each layer"""

    def chosen(self) -> Estimator:
        """The estimator named, and flags that make sense."""
        known = estimators()
        if self.estimator not in known:
            raise BadInput(f"--estimator {self.estimator}: known are {', '.join(known)}")
        if self.zeta is not None and not 0 < self.zeta <= 1:
            raise BadInput(f"--zeta {self.zeta}: expected a fraction of the weights, above 0 and at most 1")
        return known[self.estimator]()
