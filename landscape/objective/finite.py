"""Why a loss is not finite: the weights, an input, the outputs for an example, or a derivative."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch

from minima.store.command import BadInput
from minima.zoo.examples.inputs import Inputs, leaves, ranges

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.graphs import Chunk


class NotFinite(BadInput):
    """A loss or a derivative of it is NaN or infinite."""


def not_finite(tensors: Mapping[str, Tensor], x: Inputs, chunks: Iterable[Chunk]) -> NotFinite:
    """The first thing that is NaN or infinite, in words.

    Args:
        tensors: the network's parameters and buffers by name.
        x: the inputs of all examples, (N, ...).
        chunks: the network's outputs and losses at the weights as they are, chunk by chunk.
    """
    return NotFinite(_tensor(tensors) or _input(x) or _example(chunks) or DERIVATIVE)


DERIVATIVE = (
    "the loss is not finite (NaN or infinity) where the weights were moved to, or a derivative of it is not, though\n"
    "each example's loss is at the weights as they are: look for a square root or a norm of 0, or float16 overflow"
)


def _tensor(tensors: Mapping[str, Tensor]) -> str | None:
    """A parameter or a buffer."""
    for name, tensor in tensors.items():
        if bad := int((~tensor.isfinite()).sum()):
            return (
                f"{name} is not finite: {bad:,} of its {tensor.numel():,} values are NaN or infinite.\n"
                "Its training diverged, so there is nothing to measure: train again, with a smaller learning rate"
            )
    return None


def _input(x: Inputs) -> str | None:
    found = [_broken(x[chunk]).nonzero()[:, 0].cpu() + chunk.start for chunk in ranges(x)]
    broken = torch.cat(found)
    if not len(broken):
        return None
    return (
        f"the input of example {int(broken[0])} is not finite: it holds NaN or infinity, "
        f"and so do {len(broken) - 1:,} more of {len(x):,}"
    )


def _broken(x: Inputs) -> Tensor:
    """(n,) whether an example of a chunk holds what is not finite."""
    each = [(~leaf.isfinite()).reshape(len(leaf), -1).any(1) for leaf in leaves(x)]
    return torch.stack(each).any(0)


def _example(chunks: Iterable[Chunk]) -> str | None:
    """The first example whose loss is not finite, among this rank's."""
    for chunk in chunks:
        examples, outputs, losses = chunk.examples, chunk.outputs, chunk.losses
        broken = (~losses.isfinite()).nonzero()
        if len(broken):
            first = int(broken[0])
            finite = not torch.is_tensor(outputs) or bool(outputs[first].isfinite().all())
            where = "though the network's outputs for it are: look at the loss" if finite else "nor are the outputs"
            return (
                f"the loss of example {examples.start + first} is not finite ({losses[first].item()}), {where}.\n"
                "Look at the weights and the inputs for overflow; --mean and --std must be those of the training"
            )
    return None
