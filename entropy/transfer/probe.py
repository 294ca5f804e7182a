"""Linear probe: how well a linear classifier reads the classes from a network's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minima.store.command import BadInput
from minima.zoo.data.holdout import holdout

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

HELD_OUT = 0.2
"""fraction of the train split that chooses the penalty"""
STRENGTHS = (1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
"""penalties that are tried: factors of |w|^2 / 2 beside the mean cross-entropy in nats"""
MOST_ITERATIONS = 2000


@dataclass(frozen=True)
class Probe:
    """What a fitted linear probe reached."""

    accuracy: float
    """fraction of the test split that is classified right"""
    strength: float
    """the penalty that did best on the held-out part; the strongest where several did"""


def linear_probe(train: Floats, y_train: Labels, test: Floats, y_test: Labels, seed: int) -> Probe:
    """Multinomial logistic regression from features (N, d) to labels (N,), fitted on train, its accuracy on test.

    Features are standardised by mean and standard deviation of the train split (a constant one is only centred). The
    penalty is chosen by the accuracy on a random fifth of the train split, as Kornblith et al. 2019 do, and the probe
    fitted again on all of it; the test split is looked at once. Float64.

    Raises:
        BadInput: fewer than two classes among the examples it is fitted on.

    >>> x = np.repeat(np.eye(2), 20, axis=0)
    >>> linear_probe(x, x.argmax(1), x, x.argmax(1), seed=0)
    Probe(accuracy=1.0, strength=1.0)
    """
    train, test = standardised(train, test)
    fitted, held = (part.numpy() for part in holdout(len(train), HELD_OUT, seed))
    if len(held) == 0 or len(np.unique(y_train[fitted])) < 2:
        raise BadInput(
            f"the target's train split has {len(train)} examples of {len(np.unique(y_train))} classes: "
            "a probe needs at least two classes with a few examples each"
        )
    scores = [
        _fit(train[fitted], y_train[fitted], strength).score(train[held], y_train[held]) for strength in STRENGTHS
    ]
    strength = STRENGTHS[int(np.argmax(scores))]  # the first of equals: the strongest
    return Probe(float(_fit(train, y_train, strength).score(test, y_test)), strength)


def standardised(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Features (N, d) of both splits, less the train split's mean and over its standard deviation, of each feature.

    A feature that is constant over the train split is divided by 1.
    """
    mean, spread = train.mean(0), train.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    return (train - mean) / spread, (test - mean) / spread


def _fit(x: Floats, y: Labels, strength: float) -> Any:
    """scikit-learn's C weighs the sum of the losses, so that it depends on their number."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1 / (strength * len(x)), max_iter=MOST_ITERATIONS).fit(x, y)
