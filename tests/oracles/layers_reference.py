"""Layer entropies by loops over channels, examples and positions: slow, and obvious."""

from __future__ import annotations

import math

from torch import Tensor

ON = {
    "egp": lambda value: value > 0,
    "nepenthe": lambda value: None if value == 0 else value > 0,
    "easier": lambda value: value >= 0,
}
"""the state of a potential: ON, OFF, or None where it does not count"""
CLAMPS = {"egp": 1e-5, "nepenthe": 1e-5, "easier": 1e-10}


def channel_states(potentials: Tensor, channel: int, estimator: str) -> list[bool]:
    """The states that count, of all positions and examples; potentials are (N, channels, ...)."""
    values = potentials[:, channel].reshape(-1).tolist()
    states = [ON[estimator](value) for value in values]
    return [state for state in states if state is not None]


def channel_entropy(states: list[bool], clamp: float = 0.0) -> float:
    """h(P(ON)) in bits, no logarithm of less than `clamp`."""
    if not states:
        return 0.0
    bits = 0.0
    for state in (True, False):
        p = states.count(state) / len(states)
        if p > 0:
            bits -= p * math.log2(max(p, clamp))
    return bits


def layer_entropy(potentials: Tensor, estimator: str, clamp: float = 0.0) -> float:
    """The mean over channels; EGP's over those that are in both states."""
    bits = []
    for channel in range(potentials.shape[1]):
        states = channel_states(potentials, channel, estimator)
        if estimator == "egp" and len(set(states)) < 2:
            continue
        bits.append(channel_entropy(states, clamp))
    return sum(bits) / len(bits) if bits else 0.0


def published_entropy(potentials: Tensor, estimator: str, batch_size: int) -> float:
    """The mean over mini-batches."""
    batches = [
        layer_entropy(potentials[start : start + batch_size], estimator, CLAMPS[estimator])
        for start in range(0, len(potentials), batch_size)
    ]
    return sum(batches) / len(batches)
