"""The layer entropy of entropy-guided pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from entropy.layers.estimator import Estimator, Flags

if TYPE_CHECKING:
    from entropy.layers.signs import Integers, Signs


@dataclass(frozen=True)
class Egp(Estimator):
    """ON is a positive potential; mean over the neurons that are neither always ON nor always OFF.

    Liao, Quétu, Nguyen and Tartaglione, ICCV workshops 2023 (arXiv 2308.06619). Potentials 2, 0, 0, -1:

    >>> from entropy.layers.signs import Signs
    >>> import numpy as np
    >>> signs = Signs(negative=np.array([1, 0]), zero=np.array([2, 0]), positive=np.array([1, 4]))
    >>> round(Egp().layer_entropy(signs), 6)  # the second neuron, always ON, is left out
    0.811278
    """

    name: ClassVar[str] = "egp"
    paper: ClassVar[str] = "Liao et al. 2023"
    meaning: ClassVar[str] = "ON: potential > 0; mean over the neurons that are in both states at least once"
    published_clamp: ClassVar[float] = 1e-5

    def states(self, signs: Signs) -> tuple[Integers, Integers]:
        return signs.positive, signs.observed

    def averaged(self, signs: Signs) -> Flags:
        return ~(self.always_on(signs) | self.always_off(signs))
