"""The layer that acts last on the way to what a network returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from minima.store.messages import BadInput
from minima.zoo.anatomy.operations import CONVOLUTIONS, LAYERS, MATRIX_PRODUCTS, OPERANDS, RECURRENT
from minima.zoo.anatomy.tape import Operation, Recorder, Tape
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called


def last_weight(model: nn.Module, x: Inputs, picked: Callable[[Any], Any]) -> str:
    """The parameter name of the weight (outputs, inputs, ...) of the last linear layer or convolution before an output.

    Args:
        x: (1, ...) an input.
        picked: of what the network returns, the output.

    Raises:
        BadInput: none is applied on the way, or the last operation with a weight is another one, such as a recurrent
            layer, or its weight is computed.
    """
    tape = Tape()
    recorder = Recorder(model, tape)
    with evaluating(model):
        needed = {recorder.value(picked(recorder.run(x, called)))}
    for operation in reversed(tape.operations):
        if needed & set(operation.made):
            if _applies_weight(operation):
                return _weight(model, operation)
            needed |= set(operation.operands)
    raise BadInput("no linear layer or convolution is seen in the network")


def _applies_weight(operation: Operation) -> bool:
    if operation.name in MATRIX_PRODUCTS:
        return any(isinstance(operand, nn.Parameter) for operand in operation.operands)
    return operation.name in LAYERS | RECURRENT | {"bilinear", "multi_head_attention_forward"}


def _weight(model: nn.Module, operation: Operation) -> str:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    weight = operation.given(*OPERANDS)["weight"]
    if operation.name not in CONVOLUTIONS | {"linear"} or id(weight) not in names:
        raise BadInput(
            f"the last operation with a weight is {operation.where}, which is no linear layer or convolution with a "
            "weight of its own"
        )
    return names[id(weight)]
