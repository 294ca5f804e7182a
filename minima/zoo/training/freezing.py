"""When a neuron counts as being at equilibrium: plain parameters, flags of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from minima.zoo.training.recipe import require

Form = Literal["paper", "code"]


@dataclass(frozen=True)
class Equilibrium:
    """Which neurons training leaves alone for an epoch (see `minima.zoo.training.equilibrium`)."""

    threshold: float
    """a neuron with |velocity| below it is at equilibrium; 0: none ever is"""
    momentum: float = 0.5
    """of the velocity: the weight of the last one in the next"""
    form: Form = "paper"
    """sign of the last velocity in the next: paper takes it away, code adds it"""

    def check(self) -> None:
        """BadInput for a value that means nothing; before any work."""
        require("--equilibrium", self.threshold, 0 <= self.threshold < math.inf, "a number, 0 or more, such as 0.001")
        require("--equilibrium-momentum", self.momentum, 0 <= self.momentum < 1, "at least 0 and below 1")
