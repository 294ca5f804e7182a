"""NEPENTHE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.methods.egp import Egp


@dataclass(frozen=True)
class Nepenthe(Egp):
    """EGP with another entropy: a potential of exactly 0 is neither ON nor OFF and does not count, and neurons that are
    always in one state count as 0.

    The published method stops where accuracy falls below a limit; here --sparsity says where.
    """

    name: ClassVar[str] = "nepenthe"
    summary: ClassVar[str] = "as egp, but a potential of exactly 0 does not count as a state"
    paper: ClassVar[str] = "Liao et al. 2024"
    estimator: ClassVar[Literal["egp", "nepenthe"]] = "nepenthe"
