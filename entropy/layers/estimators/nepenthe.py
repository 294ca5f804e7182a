"""The layer entropy of NEPENTHE, with its don't-care state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from entropy.layers.estimator import Estimator

if TYPE_CHECKING:
    from entropy.layers.signs import Integers, Signs


@dataclass(frozen=True)
class Nepenthe(Estimator):
    """ON is a positive potential, OFF a negative one; one of exactly 0 does not count. Mean over all neurons.

    Zero is where a rectifier's two pieces meet, so it says of neither that it is needed. Liao, Quétu, Nguyen and
    Tartaglione 2024 (arXiv 2404.16890); its code was not seen: in the published form it is averaged and clamped as
    EGP's, whose improvement it is. Potentials 2, 0, 0, -1 (0.811278 if zero were OFF):

    >>> from entropy.layers.signs import Signs
    >>> import numpy as np
    >>> Nepenthe().layer_entropy(Signs(negative=np.array([1]), zero=np.array([2]), positive=np.array([1])))
    1.0
    """

    name: ClassVar[str] = "nepenthe"
    paper: ClassVar[str] = "Liao et al. 2024"
    meaning: ClassVar[str] = "ON: potential > 0, OFF: < 0, exactly 0 does not count; mean over all neurons"
    published_clamp: ClassVar[float] = 1e-5

    def states(self, signs: Signs) -> tuple[Integers, Integers]:
        return signs.positive, signs.positive + signs.negative
