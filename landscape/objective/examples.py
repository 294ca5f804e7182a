"""What a loss is measured on: inputs that fit the network and labels that fit its outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minima.store.command import BadInput

LABELS = (torch.int64, torch.uint8)
"""what torch takes for the index of a class"""


def check_examples(x: Tensor, y: Tensor) -> None:
    """There are some, each with what belongs to it."""
    if not len(x):
        raise BadInput("there are no examples to measure the loss on")
    if len(y) != len(x):
        raise BadInput(f"there are {len(x):,} inputs x and {len(y):,} labels y: expected one label for each input")


def first_outputs(network: Callable[[Tensor], Any], x: Tensor) -> Any:
    """The network's outputs; integers that it does not take are said to be that."""
    try:
        return network(x)
    except RuntimeError as error:
        if x.is_floating_point():
            raise
        raise BadInput(
            f"x holds integers ({x.dtype}), which the network does not take: {str(error).splitlines()[0]}.\n"
            "Give it what it was trained on, such as x.float() / 255 for images of 8 bits"
        ) from error


def check_labels(outputs: Any, y: Tensor) -> None:
    """Cross-entropy has a logit for every label: outputs (n, C, ...) of the first examples, y (N, ...) of all."""
    if not torch.is_tensor(outputs) or outputs.ndim < 2:
        found = (
            f"the shape {tuple(outputs.shape)}" if torch.is_tensor(outputs) else f"the type {type(outputs).__name__}"
        )
        raise BadInput(f"the network's output has {found}; expected logits (n, classes), or a loss of your own: loss=")
    if y.shape[1:] == outputs.shape[1:] and y.is_floating_point():  # probabilities of the classes
        return
    if y.dtype not in LABELS or y.shape[1:] != outputs.shape[2:]:
        expected = ("N", *outputs.shape[2:])
        raise BadInput(
            f"y has the shape {tuple(y.shape)} and the type {y.dtype}; cross-entropy with these logits expects labels\n"
            f"({', '.join(map(str, expected))}) of type torch.int64 (y.long()). For another loss say loss="
        )
    classes = outputs.shape[1]
    wrong = ((y < 0) | (y >= classes)).reshape(len(y), -1).any(1).nonzero()
    if len(wrong):
        first = int(wrong[0])
        raise BadInput(
            f"the label of example {first} is {y[first].tolist()}, but the network has {classes} logits: "
            f"expected 0 to {classes - 1}"
        )


def count_correct(outputs: Any, y: Tensor) -> Tensor | float:
    """How many rows of logits (n, C) have their largest at the label; NaN where that has no meaning."""
    if torch.is_tensor(outputs) and outputs.ndim == 2 and y.ndim == 1 and not y.is_floating_point():
        return (outputs.argmax(1) == y).sum()
    return math.nan
