"""The published algorithm of PSP-entropy, re-expressed from its description: a peer for speed and a check for values.

EIDOSLab's `PSPentropy.py` (commit 0ab88b5) keeps the outputs of the network's direct children with hooks, counts ON
and OFF per class over the loader in one complete pass for each child, clamps both frequencies to [1e-4, 1 - 1e-4] and
sums -p log2 p over states and classes. The output layer is included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

CLAMP = 1e-4


def published_psp(
    model: nn.Module, batches: Callable[[], Iterable[tuple[Tensor, Tensor]]], classes: int
) -> list[Tensor]:
    """Entropy of each neuron (n,), summed over classes, for each direct child of `model` in the order of definition."""
    outputs: dict[str, Tensor] = {}
    handles = [child.register_forward_hook(_keeper(outputs, name)) for name, child in model.named_children()]
    try:
        with torch.no_grad():
            model(next(iter(batches()))[0][:1])
            return [_layer(model, batches, classes, outputs, name) for name, _ in model.named_children()]
    finally:
        for handle in handles:
            handle.remove()


def _keeper(outputs: dict[str, Tensor], name: str) -> Callable[..., None]:
    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        outputs[name] = output

    return keep


def _layer(model: nn.Module, batches: Any, classes: int, outputs: dict[str, Tensor], name: str) -> Tensor:
    """One layer's entropies, by a complete pass of its own."""
    neurons = outputs[name][0].numel()
    on, off = torch.zeros(neurons, classes), torch.zeros(neurons, classes)
    for x, y in batches():
        model(x)
        flat = outputs[name].flatten(1)
        for label in range(classes):
            own = flat[y == label]
            on[:, label] += (own > 0).sum(0)
            off[:, label] += (own <= 0).sum(0)
    examples = on + off
    p, q = ((count / examples).clamp(CLAMP, 1 - CLAMP) for count in (on, off))
    return (-p * p.log2() - q * q.log2()).sum(1)
