"""The temperature at which a network's confidence is that of its validation examples (Guo et al. 2017)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.objective.logits import ScaledCrossEntropy
from minima.store.command import BadInput
from minima.zoo.examples.batches import batches
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.losses.named.cross_entropy import CrossEntropy

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject

LARGEST = 100.0
"""temperatures are looked for between 1 / this and this"""
PLAIN = CrossEntropy()
TYPE_A_NUMBER = "Type a number instead: --temperature 1.5"


def calibrated(subject: Subject, normalised: bool = False) -> float:
    """The temperature with the least cross-entropy on the part of the train split that training held out.

    Raises:
        BadInput: nothing was held out, or the file does not say what; there is no such temperature.
    """
    trained = subject.checkpoint.training
    if not trained.get("validation"):
        raise BadInput(
            f"--temperature calibrated: {subject.path} does not name a validation part that its training held out.\n"
            + TYPE_A_NUMBER
        )
    seed = trained.get("split_seed", subject.checkpoint.seed)
    loss = subject.task.loss
    if not isinstance(loss, CrossEntropy):
        raise BadInput(f"--temperature calibrated is of a cross-entropy's logits, and the loss is {loss.name}")
    x, y = subject.splits(trained["validation"], seed).validation
    expected = subject.checkpoint.metrics.get("validation", {}).get("samples", len(x))
    if len(x) != expected:
        raise BadInput(
            f"--temperature calibrated: {subject.path} was validated on {expected} examples, of these data it would be "
            f"{len(x)}: they are others.\n{TYPE_A_NUMBER}"
        )
    with evaluating(subject.model), torch.no_grad():
        chunks = batches(x, y, subject.batch_size)
        logits = torch.cat([subject.task.outputs(subject.model, inputs) for inputs, _ in chunks])
    return best_temperature(logits, y, normalised, loss)


def best_temperature(
    logits: Tensor, labels: Tensor, normalised: bool = False, cross_entropy: CrossEntropy = PLAIN
) -> float:
    """argmin over T of the mean cross-entropy of s(z) / T: logits (N, C), labels (N,); see `ScaledCrossEntropy`.

    Convex in 1/T. Right three times out of four at a difference of 1, a logistic model should say so: T = 1 / log 3.

    >>> logits = torch.tensor([[1.0, 0.0]]).expand(4, 2)
    >>> round(best_temperature(logits, torch.tensor([0, 0, 0, 1])) * math.log(3), 6)
    1.0
    """
    from scipy.optimize import minimize_scalar

    z = logits.double()

    def loss(exponent: float) -> float:
        return ScaledCrossEntropy(math.exp(exponent), normalised, cross_entropy).mean(z, labels).item()

    edge = math.log(LARGEST)
    found = minimize_scalar(loss, bounds=(-edge, edge), method="bounded", options={"xatol": 1e-9}).x
    if abs(found) > 0.99 * edge:
        raise BadInput(
            f"--temperature calibrated: the {len(labels)} validation examples want one beyond "
            f"{LARGEST if found > 0 else 1 / LARGEST:g} (all of them classified right?).\n{TYPE_A_NUMBER}"
        )
    return math.exp(found)
