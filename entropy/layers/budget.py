"""How many weights entropy-guided pruning takes from each layer (EGP; NEPENTHE uses the same rule)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np


def layer_budget(importance: Mapping[str, float], left: Mapping[str, int], zeta: float) -> dict[str, int]:
    """Weights to remove from each layer, whole numbers that sum to at most zeta N.

    B_l = zeta N softmax_l(sum_j I_j / I_l), in which I_l is the layer's `importance` (its entropy times the mean
    magnitude of its weights) and N the weights `left` in all layers that take part: those with an importance and
    weights left. A layer of no importance loses nothing here: it can go as a whole. One whose budget is more than it
    has loses all of it, and what remains of zeta N is shared out anew among the others. So the layers of least
    importance go first, most of the budget to one of them; equal importance means equal counts, not equal shares.

    Liao et al. 2023 (arXiv 2308.06619), as in the published code. Three layers of entropies 1, 0.5 and 0.1 bit:

    >>> layer_budget({"a": 0.1, "b": 0.05, "c": 0.01}, {"a": 1000, "b": 1000, "c": 1000}, zeta=0.5)
    {'a': 91, 'b': 408, 'c': 1000}

    Raises:
        ValueError: zeta is not a fraction.
    """
    if not 0 <= zeta <= 1:
        raise ValueError(f"zeta must lie in 0..1, not {zeta}")
    open_layers = [layer for layer in importance if importance[layer] > 0 and left[layer] > 0]
    budget = dict.fromkeys(importance, 0)
    rest = zeta * sum(left[layer] for layer in open_layers)
    while open_layers:
        wanted = dict(zip(open_layers, rest * _shares([importance[layer] for layer in open_layers]), strict=True))
        full = [layer for layer in open_layers if wanted[layer] > left[layer]]
        if not full:
            return budget | {layer: math.floor(count) for layer, count in wanted.items()}
        budget |= {layer: left[layer] for layer in full}
        rest -= sum(left[layer] for layer in full)
        open_layers = [layer for layer in open_layers if layer not in full]
    return budget


def _shares(importance: list[float]) -> np.ndarray:
    """softmax(sum I / I), shifted by its largest exponent so that it does not overflow."""
    with np.errstate(over="ignore"):
        exponents = np.nan_to_num(np.sum(importance) / np.array(importance))
    weights = np.exp(exponents - exponents.max())
    return weights / weights.sum()
