"""What a watermark is, and how training protects it: plain parameters, flags, and what a checkpoint stores."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minima.zoo.training.recipe import require


@dataclass(frozen=True)
class Settings:
    """Bits of a watermark, and how the loss is sharpened around the weights that hold them."""

    key: int
    """secret seed of their places and of the bits"""
    bits: int = 64
    """how many single weights hold a bit each, as their sign"""
    amplitude: float = 2.0
    """size of these weights, in units of the root mean square of what is left of their tensor"""
    rho: float = 0.2
    """length of the step along the gradient, in units of the norm of these weights"""
    strength: float = 0.02
    """what e times the rise of the loss along it is worth to training, in the loss' units; 0: bits are only set"""

    def check(self) -> None:
        """BadInput for a value that means nothing; before any work."""
        require("--bits", self.bits, self.bits >= 1, "1 or more")
        require("--amplitude", self.amplitude, 0 < self.amplitude < math.inf, "a positive number")
        require("--rho", self.rho, 0 < self.rho < math.inf, "a positive number")
        require("--strength", self.strength, 0 <= self.strength < math.inf, "a number, 0 or more")
