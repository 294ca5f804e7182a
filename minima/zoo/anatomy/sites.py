"""Where a network's neurons are: every input of an elementwise activation, found by intercepting the operations.

Nothing is registered on the model: a `TorchFunctionMode` sees each operation as it is called (module, function, method,
in place, at any depth), and torch's global module hooks, removed after each run, say which module is calling.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from minima.store.command import BadInput
from minima.zoo.anatomy.callers import Callers
from minima.zoo.anatomy.operations import SHAPE_ONLY, SOFTMAXES, channel_axis, is_activation, operation_name
from minima.zoo.examples.inputs import Inputs, call, leaves
from minima.zoo.examples.outputs import pick

Visit = Callable[[str, Tensor, int], None]
"""called with a site's name, its potentials (N, ...) and the axis of its channels (1 or -1), before the activation

`activated` is called so with what the activation made of them.
"""


@dataclass(frozen=True)
class Origin:
    """The module that made a tensor."""

    name: str
    channels: int
    site: str | None = None
    """the site whose activation made it"""
    logits: Tensor | None = None
    """the input of the softmax that made it"""


class Sites(TorchFunctionMode):
    """Runs a network, and shows the post-synaptic potentials of every activation to a visitor, in forward order.

    A site is named after what produced the tensor: the dotted path of the module (`conv1`, `layer1.0.bn1`), with the
    operation behind it where the module is made of modules (`layer1.0.add` for a residual sum). Operations that only
    move neurons about (view, flatten, indexing, dropout in eval mode) keep the name. A repeated name gets `#2`.

    Tensors that do not depend on the input (a gate computed from parameters) have no states and are no sites. Neither
    are those whose first axis is not the examples': they are listed in `skipped`, with their shapes. Recurrent layers
    of torch (`nn.LSTM`) are single operations: their gates are not seen. What was compiled (`torch.compile`) runs
    eagerly here, under the names it had before.
    """

    def __init__(
        self,
        model: nn.Module,
        visit: Visit,
        activated: Visit | None = None,
        picked: Callable[[Any], Any] = pick,
    ) -> None:
        super().__init__()
        self.model, self.visit, self.activated, self.picked = model, visit, activated, picked
        self.skipped: dict[str, tuple[int, ...]] = {}
        self.callers = Callers(model)

    def run(self, x: Inputs) -> str:
        """One forward pass over x (N, ...), without gradients; the name of the output layer's site, visited as well.

        What the network returned is then in `output`.

        The output layer's potentials are the model's output or, where that was squashed by an activation or a
        softmax, what went into it.
        """
        self._examples = len(x)
        self._repeats: dict[str, int] = {}
        self._origins = WeakTensorKeyDictionary()  # None marks a tensor that does not depend on the input
        for constant in (*self.model.parameters(), *self.model.buffers()):
            self._origins[constant] = None
        for leaf in leaves(x):
            self._origins[leaf] = Origin("input", channels=1)
        with torch.no_grad(), _uncompiled(), self.callers.followed(), self:
            self.output = call(self.model, x)
        return self._visit_output(self.picked(self.output))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See an operation: visit its input if it is an activation, and remember what made its result."""
        kwargs = kwargs or {}
        operation = operation_name(func)
        source, potential = self._first_dependent(args, kwargs)
        site = None
        if source and potential is not None and is_activation(operation, args, kwargs):
            site = self._visit(source, potential)
        result = func(*args, **kwargs)
        if site and source and self.activated:
            self.activated(site, result, source.channels)
        origin = source
        if source and operation not in SHAPE_ONLY:
            logits = potential if operation in SOFTMAXES else None
            name = self.callers.now.name(operation)
            origin = Origin(name, channel_axis(operation, source.channels), site, logits)
        # Writing into a tensor (x[i] = y) returns nothing: the tensor itself is the result.
        for tensor in _tensors(args[0] if operation == "setitem" else result):
            self._origins[tensor] = origin
        return result

    def _first_dependent(self, args: Any, kwargs: Any) -> tuple[Origin | None, Tensor | None]:
        """The first tensor among the arguments that depends on the input, and its origin."""
        for tensor in _tensors((*args, *kwargs.values())):
            if self._origins.get(tensor, _UNSEEN) is not None:
                return self._origin(tensor), tensor
        return None, None

    def _origin(self, tensor: Tensor) -> Origin:
        # A tensor never seen (made by a custom autograd function, say) is taken for one that depends on the input.
        return self._origins.get(tensor) or Origin(self.callers.now.name("unknown"), channels=1)

    def _visit(self, origin: Origin, potential: Tensor) -> str | None:
        if potential.dim() < 2 or len(potential) != self._examples:
            self.skipped[origin.name] = tuple(potential.shape)
            return None
        count = self._repeats[origin.name] = self._repeats.get(origin.name, 0) + 1
        name = origin.name if count == 1 else f"{origin.name}#{count}"
        self.visit(name, potential, origin.channels)
        return name

    def _visit_output(self, output: Any) -> str:
        if not isinstance(output, Tensor):
            raise BadInput(f"the network's output must be a tensor of logits, not a {type(output).__name__}")
        if not output.isfinite().all():
            raise BadInput(
                "the network's output is NaN or infinite for some examples: its neurons have no states to speak of"
            )
        origin = self._origin(output)
        if origin.logits is not None:
            output, origin = origin.logits, self._origin(origin.logits)
        site = origin.site or self._visit(origin, output)
        if site is None:
            raise BadInput(f"the network's output has shape {tuple(output.shape)}; expected (examples, classes)")
        return site


_UNSEEN = object()


def _uncompiled() -> AbstractContextManager[Any]:
    """Compiled modules and functions run as they were written; nothing is compiled before the compiler is loaded."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def _tensors(values: Any) -> Iterator[Tensor]:
    """The tensors in an argument or a result, within lists and tuples too."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)


def told_unseen(model: nn.Module, skipped: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """What holds no neurons though it may look so: `skipped` of a run, and the gates of torch's recurrent layers.

    >>> list(told_unseen(nn.Sequential(nn.Linear(2, 3), nn.GRU(3, 4)), {}))
    ["the gates of 1 (torch's GRU) are computed in one operation and are not measured"]
    """
    for name, shape in skipped.items():
        yield f"{name} {shape} is activated without one row per example: no neurons there"
    for name, module in model.named_modules():
        if isinstance(module, nn.RNNBase | nn.RNNCellBase):
            kind = type(module).__name__
            yield f"the gates of {name} (torch's {kind}) are computed in one operation and are not measured"
