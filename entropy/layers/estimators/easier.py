"""The layer entropy of EASIER, which removes one rectifier after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from entropy.layers.estimator import Estimator

if TYPE_CHECKING:
    from entropy.layers.signs import Integers, Signs


@dataclass(frozen=True)
class Easier(Estimator):
    """ON is a potential of at least 0; mean over all neurons.

    Quétu, Liao and Tartaglione, ECML PKDD 2024; the published code takes the entropies of the last training epoch,
    with the weights on the move. Potentials 2, 0, 0, -1, and a neuron that is always ON:

    >>> from entropy.layers.signs import Signs
    >>> import numpy as np
    >>> signs = Signs(negative=np.array([1, 0]), zero=np.array([2, 0]), positive=np.array([1, 4]))
    >>> round(Easier().layer_entropy(signs), 6)
    0.405639
    >>> Easier().removes({"conv1": 0.5, "conv2": 0.4, "fc": 0.4})
    ['conv2']
    """

    name: ClassVar[str] = "easier"
    paper: ClassVar[str] = "Quétu et al. 2024"
    meaning: ClassVar[str] = "ON: potential >= 0; mean over all neurons"
    published_clamp: ClassVar[float] = 1e-10

    def states(self, signs: Signs) -> tuple[Integers, Integers]:
        return signs.positive + signs.zero, signs.observed

    def removes(self, entropies: Mapping[str, float]) -> list[str]:
        """The layer of the lowest entropy (the first of equals), and with it all that have none."""
        lowest = min(entropies, key=lambda layer: entropies[layer])
        return super().removes(entropies) or [lowest]
