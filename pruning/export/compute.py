"""A network written in a format of others, and read back before it counts as written."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.export.format import Format

SOME = 16
"""examples on which outputs are compared"""
ROUNDING = 2.0**14
"""units in the last place of the largest output by which operations in another order may differ"""


@dataclass(frozen=True)
class Exported:
    """The content of an exported file, checked by reading it back."""

    content: bytes
    max_difference: float
    """largest difference of an output between the network and what was read back"""
    examples: int
    """on which outputs were compared"""
    only_one: str | None = None
    """why the file takes one example at a time; None where it takes any number"""


def export_network(model: nn.Module, x: Inputs, form: Format) -> Exported:
    """The content of a file with the network, which gives the same outputs for some of the examples x (N, ...).

    In eval mode; the model comes out as it went in.

    Raises:
        BadInput: the network cannot be traced, or what was written gives other outputs.
    """
    x = x[:SOME]
    with evaluating(model), _silence():
        if not form.traces:
            return _checked(form.write(model, x, True), model, x, form, None)
        try:
            return _checked(form.write(model, x[:2], True), model, x, form, None)
        except BadInput:
            raise
        except Exception as error:  # an exporter may raise anything
            reason = _first_line(error)
        try:
            return _checked(form.write(model, x[:1], False), model, x[:1], form, reason)
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"{form.name}: the network cannot be traced: {_first_line(error)}.\n"
                "Its tensors can be written: name a file that ends in .pt or .safetensors"
            ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Exporters warn of their own insides."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _checked(content: bytes, model: nn.Module, x: Inputs, form: Format, reason: str | None) -> Exported:
    import torch

    with torch.no_grad():
        expected = _numbers(call(model, x))
    found = _numbers(form.outputs(content, model, x))
    shapes = [[tuple(each.shape) for each in outputs] for outputs in (expected, found)]
    if shapes[0] != shapes[1]:
        raise BadInput(f"{form.name}: what was written returns outputs {shapes[1]}, the network {shapes[0]}")
    largest, allowed = 0.0, 0.0
    for ours, theirs in zip(expected, found, strict=True):
        largest = max(largest, _largest(ours.double() - theirs.double()))
        epsilon = torch.finfo(ours.dtype).eps if ours.is_floating_point() else 0.0
        allowed = max(allowed, epsilon * ROUNDING * max(1.0, _largest(ours))) if form.traces else 0.0
    if not largest <= allowed:
        raise BadInput(
            f"{form.name}: what was written gives outputs that differ by {largest:.3g}, more than rounding does: "
            "nothing is written. Has the network branches on its data, or draws at random?"
        )
    return Exported(content, largest, len(x), reason)


def _largest(values: Tensor) -> float:
    return float(values.double().abs().max()) if values.numel() else 0.0


def _numbers(returned: Any) -> list[Tensor]:
    """The tensors in what a network returns."""
    import torch
    from torch.utils._pytree import tree_leaves

    return [leaf.detach().cpu() for leaf in tree_leaves(returned) if torch.is_tensor(leaf)]


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
