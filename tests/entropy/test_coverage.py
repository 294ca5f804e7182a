"""The stated errors hold: over many subsamples of a test set, the interval covers the value of the whole set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from entropy.information.measurement import measure
from entropy.information.request import Request, Together

REPEATS = {1: 1000, 2: 300}
WHOLE = {4: 1200, 10: 5000}
"""examples there are, by the number of classes: a fifth or a third of them is drawn, 100 of each class"""


class Fixed(nn.Module):
    """A layer whose potentials are the input."""

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.relu, self.head = nn.ReLU(), nn.Linear(neurons, 2)

    def forward(self, z: Tensor) -> Tensor:
        return self.head(self.relu(z))


def potentials(classes: int, neurons: int) -> tuple[Tensor, Tensor]:
    """Neurons that depend on the class, on each other, and on what is common to an image."""
    generator, examples = torch.Generator().manual_seed(0), WHOLE[classes]
    y = torch.arange(examples) % classes
    of_class = torch.randn(classes, neurons, generator=generator)[y]
    common = torch.randn(examples, 1, generator=generator) * torch.randn(1, neurons, generator=generator)
    return of_class + common + torch.randn(examples, neurons, generator=generator) - 0.5, y


@pytest.mark.parametrize(
    ("order", "classes", "neurons", "bounds"),
    [
        (1, 4, 30, (0.92, 0.98)),
        (1, 10, 60, (0.92, 0.98)),
        (2, 4, 30, (0.91, 0.98)),
        (2, 4, 120, (0.92, 1.0)),  # a panel of 48: its errors are a little large
    ],
)
def test_intervals_cover(order: int, classes: int, neurons: int, bounds: tuple[float, float]) -> None:
    z, y = potentials(classes, neurons)
    request, whole, drawn = Request(Together(order)), len(z), 100 * classes

    def summary(rows: Tensor) -> dict[str, float]:
        layers, _ = measure(
            Fixed(neurons), z[rows], y[rows], classes, batch_size=1000, available=whole, request=request
        )
        return layers[0].summary()

    truth = summary(torch.arange(whole))["corrected_mean"]
    generator, covered = torch.Generator().manual_seed(1), []
    for _ in range(REPEATS[order]):
        found = summary(torch.randperm(whole, generator=generator)[:drawn])
        covered.append(abs(found["corrected_mean"] - truth) <= 1.96 * found["stderr"])
    assert bounds[0] <= np.mean(covered) <= bounds[1]
