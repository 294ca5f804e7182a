"""Which normalisation is handed a layer's very output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.zoo.anatomy.neurons import layers
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import called
from pruning.context.unit_weights import is_norm

if TYPE_CHECKING:
    from torch import Tensor, nn


def norms_behind(model: nn.Module, x: Any) -> dict[str, str]:
    """Layer -> normalisation, by the names of the modules, seen in a pass over x (n, ...) in eval mode; layers whose
    output goes elsewhere, or through something else first, are left out."""
    import torch

    made: dict[int, tuple[str, Tensor, int]] = {}
    found: dict[str, str] = {}

    def meet(given: Any, norm: str) -> None:
        layer, output, written = made.get(id(given[0]), ("", None, 0))
        if output is given[0] and output._version == written:  # else an activation in place came between
            found[layer] = norm

    handles = [
        module.register_forward_hook(
            lambda _module, _given, out, name=name: made.update({id(out): (name, out, out._version)})
        )
        for name, module in layers(model).items()
    ]
    handles += [
        module.register_forward_pre_hook(lambda _module, given, name=name: meet(given, name))
        for name, module in model.named_modules()
        if is_norm(module)
    ]
    try:
        with evaluating(model), torch.no_grad():
            called(model, x)
    finally:
        for handle in handles:
            handle.remove()
    return found
