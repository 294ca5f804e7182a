"""NEPENTHE, with the layers taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.composition.layer_method import LayerMethod


@dataclass(frozen=True)
class NepentheLayers(LayerMethod):
    """NEPENTHE to its end: in each round weights go, most from the layers of least entropy times magnitude (as with
    `python -m pruning nepenthe`), and the network is trained; then neurons that are off on all training examples are
    removed, and rectifiers whose neurons are all on are put out, which changes no output there. As long as the score
    falls by no more than --drop.

    In the published experiments layers without entropy were counted, and not taken out of the network.
    """

    name: ClassVar[str] = "nepenthe-layers"
    summary: ClassVar[str] = "weights go where entropy is least, until rectifiers do nothing; those are put out"
    paper: ClassVar[str] = "Liao et al. 2024 (NEPENTHE)"
    estimator: ClassVar[str] = "nepenthe"
    idle: ClassVar[bool] = True
    parts: ClassVar[tuple[str, ...]] = ("entropy budget", "training", "static units", "identity", "merger")

    fraction: float = 0.5
    """fraction of the weights left that a round removes (zeta; published: 0.5 for ResNet-18, 0.25 for Swin-T, 0.1 for
    MobileNet-V2)"""

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise BadInput(f"--fraction {self.fraction}: expected a fraction above 0 and below 1, for example 0.5")

    @property
    def removed(self) -> float:
        return self.fraction

    def next(self, entropies: Mapping[str, float]) -> list[str]:  # noqa: ARG002
        return []
