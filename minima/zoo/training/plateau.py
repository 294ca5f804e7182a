"""A learning rate that falls when the validation loss no longer does."""

from __future__ import annotations

import math
from dataclasses import dataclass

SLACK = 1e-4
"""how much lower than the best, relatively, a loss must be to count as better"""


@dataclass
class Plateau:
    """Multiplies the rate by `gamma` after more than `patience` epochs in a row without a better loss.

    The rule of torch's `ReduceLROnPlateau` with its defaults.

    >>> plateau = Plateau(gamma=0.1, patience=0)
    >>> plateau.observe(1.0), plateau.observe(1.0), plateau.factor
    (None, None, 0.1)
    """

    gamma: float
    patience: int
    factor: float = 1.0
    """what the rate has been multiplied by so far"""
    best: float = math.inf
    bad_epochs: int = 0

    def observe(self, loss: float) -> None:
        """Take in an epoch's validation loss."""
        if loss < self.best * (1 - SLACK):
            self.best, self.bad_epochs = loss, 0
            return
        self.bad_epochs += 1
        if self.bad_epochs > self.patience:
            self.factor, self.bad_epochs = self.factor * self.gamma, 0
