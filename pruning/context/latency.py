"""How long forward passes take, of two networks in turn."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call

if TYPE_CHECKING:
    from torch import nn

ROUNDS = 7
"""of which the median is taken; the networks take turns, so that other work of the machine hits both"""


def latency(before: nn.Module, after: nn.Module, x: Inputs) -> dict[str, float]:
    """The median seconds of a forward pass over x (N, ...) of either network, as `before` and `after`.

    Both are in eval mode, without gradients, and take turns for `ROUNDS` rounds, of which the first is not counted.
    """
    import torch

    seconds: dict[str, list[float]] = {"before": [], "after": []}
    with evaluating(before), evaluating(after), torch.no_grad():
        for _ in range(ROUNDS):
            for name, model in (("before", before), ("after", after)):
                start = time.perf_counter()
                call(model, x)
                seconds[name].append(time.perf_counter() - start)
    return {name: median(times[1:]) for name, times in seconds.items()}
