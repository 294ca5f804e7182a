"""A network's operations, found by running it once on symbols in the place of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.zoo.examples.inputs import Inputs, Several, arguments

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


def traced(model: nn.Module, x: Inputs, any_number: bool) -> ExportedProgram:
    """The network as a program: for any number of examples, or for as many as x has."""
    import torch

    positional, named = arguments(x)
    shapes = _shapes(x) if any_number else None
    with torch.no_grad():
        return torch.export.export(model, positional, named, dynamic_shapes=shapes, strict=False)


def _shapes(x: Inputs) -> Any:
    """That the first axis of each input, the examples', may be of any length."""
    import torch

    axis = {0: torch.export.Dim("examples", min=1)}
    if not isinstance(x, Several):
        return (axis,)
    if isinstance(x.fields, dict):
        return dict.fromkeys(x.fields, axis)
    return tuple(axis for _ in x.fields)


def run_with(function: Any, x: Inputs) -> Any:
    """What a network of no particular kind returns for x."""
    import torch

    positional, named = arguments(x)
    with torch.no_grad():
        return function(*positional, **named)
