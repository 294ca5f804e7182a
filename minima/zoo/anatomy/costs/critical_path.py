"""The longest path through a network: how many layers, and how many activations, come one after the other."""

from __future__ import annotations

from typing import Any

from torch import nn

from minima.zoo.anatomy.operations import LAYERS, is_activation
from minima.zoo.anatomy.tape import Operation, Tape, record
from minima.zoo.examples.inputs import Inputs


def critical_path(model: nn.Module, x: Inputs) -> dict[str, int]:
    """The largest number of `layers` (convolutions and linear layers), and of elementwise `activations`, on a path from
    the inputs x (1, ...) to the outputs, in eval mode.

    >>> import torch
    >>> critical_path(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), torch.zeros(1, 2))
    {'layers': 2, 'activations': 1}
    """
    tape = record(model, x)
    return {"layers": _longest(tape, _is_layer), "activations": _longest(tape, _is_activation)}


def _longest(tape: Tape, counts: Any) -> int:
    passed: dict[Any, int] = {}
    for operation in tape.operations:
        before = max((passed.get(operand, 0) for operand in operation.operands), default=0)
        passed |= dict.fromkeys(operation.made, before + counts(operation))
    return max((passed.get(output, 0) for output in tape.outputs), default=0)


def _is_layer(operation: Operation) -> bool:
    return operation.name in LAYERS


def _is_activation(operation: Operation) -> bool:
    return is_activation(operation.name, operation.args, operation.kwargs)
