"""Mean activation of each neuron given the class, and how selective that makes it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import Neurons, per_neuron

Floats = NDArray[np.float64]


class Responses:
    """Sums of the activations phi(z) of every site, per class and neuron, gathered as they go by."""

    def __init__(self, blocks: Blocks, neurons: Neurons) -> None:
        self._observed, self._neurons = blocks.sizes.sum(0).numpy(), neurons
        self._sums: dict[str, Tensor] = {}
        self._positions: dict[str, int] = {}

    def add(self, name: str, activation: Tensor, channels: int, runs: list[Run]) -> None:
        """Add the activations (N, ...) of a site for a batch made of these runs."""
        values = per_neuron(activation, channels, self._neurons)
        if name not in self._sums:
            zeros = torch.zeros(len(self._observed), values.shape[1], dtype=torch.float64, device=values.device)
            self._sums[name], self._positions[name] = zeros, values.shape[2]
        for run in runs:
            self._sums[name][run.label] += values[run.start : run.stop].sum((0, 2), dtype=torch.float64)

    def means(self) -> dict[str, Floats]:
        """Mean activation (C, n) of every site's neurons; NaN in the row of a class without examples."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                name: sums.cpu().numpy() / (self._observed * self._positions[name])[:, None]
                for name, sums in self._sums.items()
            }


def selectivity_index(means: Floats) -> Floats:
    """(mu_max - mu_rest) / (mu_max + mu_rest) of each neuron (n,), from its mean activations per class (C, n).

    mu_max is the largest mean, mu_rest the mean of the others' (Morcos et al., ICLR 2018, arXiv 1803.06959): 0 for a
    neuron that answers all classes alike, 1 for one that answers a single class. NaN where it means nothing: some
    class's mean is negative (not a rectifier), or all are 0 (a dead neuron), or there is one class.

    >>> selectivity_index(np.array([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])).tolist()
    [0.5, 0.0, nan]
    """
    means = means[~np.isnan(means).any(1)]
    if len(means) < 2:
        return np.full(means.shape[1], np.nan)
    largest = means.max(0)
    rest = (means.sum(0) - largest) / (len(means) - 1)
    meaningful = (means >= 0).all(0) & (largest > 0)
    return np.divide(largest - rest, largest + rest, out=np.full_like(largest, np.nan), where=meaningful)
