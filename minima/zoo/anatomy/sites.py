"""Where a network's neurons are: every input of an elementwise activation, found while a pass is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.channels import channel_axes
from minima.zoo.anatomy.operations import SHAPE_ONLY, SOFTMAXES, is_activation
from minima.zoo.anatomy.tape import Listener, Operation, Recorder, Value
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick

Visit = Callable[[str, Tensor, int], None]
"""called with a site's name, its potentials (N, ...) and the axis of its channels, before the activation

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


@dataclass(frozen=True)
class Site:
    """An activation of a network, or its output layer."""

    potential: Any
    """the value whose entries are the neurons' potentials"""
    channels: int
    operation: Operation | None
    """that activates it; none of the output layer"""


class Sites(Listener):
    """Runs a network, and shows the post-synaptic potentials of every activation to a visitor, in forward order.

    A site is named after what produced the tensor: the dotted path of the module (`conv1`, `layer1.0.bn1`), with the
    operation behind it where the module is made of modules (`layer1.0.add` for a residual sum). Operations that only
    move neurons about (view, flatten, indexing, dropout in eval mode) keep the name. A repeated name gets `#2`.

    Tensors that do not depend on the input (a gate computed from parameters) have no states and are no sites. Neither
    are those whose first axis is not the examples': they are listed in `skipped`, with their shapes. Recurrent layers
    of torch (`nn.LSTM`) are single operations: their gates are not seen.
    """

    def __init__(
        self,
        model: nn.Module,
        visit: Visit | None = None,
        activated: Visit | None = None,
        picked: Callable[[Any], Any] = pick,
        beside: Listener | None = None,
    ) -> None:
        self.visit, self.activated, self.picked = visit, activated, picked
        self.skipped: dict[str, tuple[int, ...]] = {}
        self.found: dict[str, Site] = {}
        """those of the last pass, in forward order"""
        self._recorder = Recorder(model, self, *([] if beside is None else [beside]))
        self._constants = {id(constant) for constant in (*model.parameters(), *model.buffers())}

    def run(self, x: Inputs) -> str:
        """One forward pass over x (N, ...), without gradients; the name of the output layer's site, visited as well.

        What the network returned is then in `output`.

        The output layer's potentials are the model's output or, where that was squashed by an activation or a
        softmax, what went into it.
        """
        self._examples = len(x)
        self.output = self._recorder.run(x)
        return self._visit_output(self.picked(self.output))

    def begin(self, inputs: list[Value]) -> None:
        """Forget the last pass."""
        self.found, self._repeats = {}, dict[str, int]()
        self._origins: dict[Any, Origin | None] = dict.fromkeys(inputs, Origin("input", channels=1))

    def before(self, operation: Operation) -> None:
        """Visit the input of an activation."""
        self._source, self._site = None, None
        for value in operation.operands:
            self._source = self._origin(value, operation.caller.name("unknown"))
            if self._source:
                self._potential = value
                break
        if self._source and is_activation(operation.name, operation.args, operation.kwargs):
            self._site = self._visit(self._source, self._potential, operation)

    def after(self, operation: Operation) -> None:
        """Remember what made its results."""
        source = self._source
        if source and self._site and self.activated:
            self.activated(self._site, operation.made[0].tensor, source.channels)
        if source is None:
            self._origins.update(dict.fromkeys(operation.made))
            return
        origin = source
        if operation.name not in SHAPE_ONLY:
            logits = _tensor(self._potential) if operation.name in SOFTMAXES else None
            origin = Origin(operation.caller.name(operation.name), source.channels, self._site, logits)
        axes = channel_axes(operation, self._potential, source.channels)
        self._origins |= {made: replace(origin, channels=axis) for made, axis in zip(operation.made, axes, strict=True)}

    def _origin(self, value: Any, unknown: str) -> Origin | None:
        """What made a value; nothing did where it does not depend on the input.

        A tensor never seen (made by a custom autograd function, say) is taken for one that depends on it.
        """
        if id(value) in self._constants:
            return None
        return self._origins.get(value, Origin(unknown, channels=1))

    def _visit(self, origin: Origin, potential: Any, operation: Operation | None) -> str | None:
        if potential.ndim < 2 or potential.shape[0] != self._examples:
            self.skipped[origin.name] = tuple(potential.shape)
            return None
        count = self._repeats[origin.name] = self._repeats.get(origin.name, 0) + 1
        name = origin.name if count == 1 else f"{origin.name}#{count}"
        self.found[name] = Site(potential, origin.channels, operation)
        if self.visit:
            self.visit(name, _tensor(potential), origin.channels)
        return name

    def _traced(self, output: Tensor) -> tuple[Any, Origin]:
        value = self._recorder.value(output)
        return value, self._origin(value, "unknown") or Origin("unknown", channels=1)

    def _visit_output(self, output: Any) -> str:
        if not isinstance(output, Tensor):
            raise BadInput(f"the network's output must be a tensor of logits, not a {type(output).__name__}")
        if not output.isfinite().all():
            raise BadInput(
                "the network's output is NaN or infinite for some examples: its neurons have no states to speak of"
            )
        value, origin = self._traced(output)
        if origin.logits is not None:
            value, origin = self._traced(origin.logits)
        site = origin.site or self._visit(origin, value, None)
        if site is None:
            raise BadInput(f"the network's output has shape {tuple(output.shape)}; expected (examples, classes)")
        return site


def _tensor(value: Any) -> Tensor:
    found: Tensor = value.tensor if isinstance(value, Value) else value
    return found


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
