"""The stated errors hold: over many subsamples of a test set, the interval covers the value of the whole set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from entropy.measurement import Request, Together, measure

CLASSES, WHOLE, DRAWN, REPEATS = 4, 1200, 400, 300


class Fixed(nn.Module):
    """A layer whose potentials are the input."""

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.relu, self.head = nn.ReLU(), nn.Linear(neurons, 2)

    def forward(self, z: Tensor) -> Tensor:
        return self.head(self.relu(z))


def potentials() -> tuple[Tensor, Tensor]:
    """Neurons that depend on the class, on each other, and on what is common to an image."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(WHOLE) % CLASSES
    neurons = 30
    of_class = torch.randn(CLASSES, neurons, generator=generator)[y]
    common = torch.randn(WHOLE, 1, generator=generator) * torch.randn(1, neurons, generator=generator)
    return of_class + common + torch.randn(WHOLE, neurons, generator=generator) - 0.5, y


@pytest.mark.parametrize(("order", "bounds"), [(1, (0.92, 0.98)), (2, (0.91, 0.99))])
def test_intervals_cover(order: int, bounds: tuple[float, float]) -> None:
    z, y = potentials()
    request = Request(Together(order))

    def summary(rows: Tensor) -> dict[str, float]:
        layers, _ = measure(
            Fixed(z.shape[1]), z[rows], y[rows], CLASSES, batch_size=DRAWN, available=WHOLE, request=request
        )
        return layers[0].summary()

    truth = summary(torch.arange(WHOLE))["corrected_mean"]
    generator, covered = torch.Generator().manual_seed(1), []
    for _ in range(REPEATS if order == 2 else 1000):
        found = summary(torch.randperm(WHOLE, generator=generator)[:DRAWN])
        covered.append(abs(found["corrected_mean"] - truth) <= 1.96 * found["stderr"])
    assert bounds[0] <= np.mean(covered) <= bounds[1]
