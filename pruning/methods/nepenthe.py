"""NEPENTHE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.methods.egp import Egp


@dataclass(frozen=True)
class Nepenthe(Egp):
    """EGP with another entropy of a neuron's states: an input of exactly 0 counts neither as on nor as off, and neurons
    that are always in one state count as 0.

    The published method stops where the accuracy falls below a limit; here --sparsity says where to stop. Entropies are
    those over the whole training part, where the published code averages over batches.

    Nothing is drawn; two halves of the training part rank the layers alike at Spearman 0.998 to 1 (python -m
    benchmarks.rank_stability: small networks, digits).
    """

    name: ClassVar[str] = "nepenthe"
    summary: ClassVar[str] = "as egp, but a potential of exactly 0 does not count as a state"
    paper: ClassVar[str] = "Liao et al. 2024"
    estimator: ClassVar[Literal["egp", "nepenthe"]] = "nepenthe"
