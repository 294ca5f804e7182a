"""Why a loss is not finite: the weights, an input, the outputs for an example, or a derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective import Objective


class NotFinite(BadInput):
    """A loss or a derivative of it is NaN or infinite."""


def not_finite(objective: Objective) -> NotFinite:
    """The first thing that is NaN or infinite, in words."""
    return NotFinite(_tensor(objective) or _input(objective) or _example(objective) or DERIVATIVE)


DERIVATIVE = (
    "the loss is not finite (NaN or infinity) where the weights were moved to, or a derivative of it is not, though\n"
    "each example's loss is at the weights as they are: look for a square root or a norm of 0, or float16 overflow"
)


def _tensor(objective: Objective) -> str | None:
    """A parameter or a buffer."""
    coordinates = objective.coordinates
    every = coordinates.tensors(coordinates.full) | coordinates.fixed | dict(objective.model.named_buffers())
    for name, tensor in every.items():
        if bad := int((~tensor.isfinite()).sum()):
            return (
                f"{name} is not finite: {bad:,} of its {tensor.numel():,} values are NaN or infinite.\n"
                "Its training diverged, so there is nothing to measure: train again, with a smaller learning rate"
            )
    return None


def _input(objective: Objective) -> str | None:
    broken = (~objective.x.reshape(len(objective.x), -1).isfinite()).any(1).nonzero()
    if not len(broken):
        return None
    return (
        f"the input of example {int(broken[0])} is not finite: it holds NaN or infinity, "
        f"and so do {len(broken) - 1:,} more of {len(objective.x):,}"
    )


def _example(objective: Objective) -> str | None:
    """The first example whose loss is not finite, among this rank's."""
    for examples, outputs in objective.outputs():
        losses = objective.losses(outputs, objective.y[examples])
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
