"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from landscape.passes.checks import Checks, Disagreement
from landscape.passes.differentiable import WrittenOut
from landscape.passes.folding import AnotherPath, Folding
from landscape.passes.folding_plan import Plan, Tracing
from landscape.passes.inputs import channels_last, shapes
from landscape.passes.recomputation import nothing_recomputed
from minima.store.command import BadInput, note
from minima.zoo.examples.functional import functional_call
from minima.zoo.examples.inputs import arguments

HEAVY = 32
"""numbers in kernels for each that convolutions make of an example, from which on a CPU is faster with channels first:
by a thread a gradient or product took 0.8 to 1.05 times as long with channels last below 26, 1 to 1.3 above 45, unless
convolutions are computed in tiles, which need channels last"""


FORWARD_MODE = ("forward AD", "forward mode AD", "forward-mode")
"""what torch says where an operation has no derivative in it"""


class _Grown(Exception):
    """The plan knows more convolutions now: the pass is to be done again."""


@dataclass
class Rewriting:
    """How the passes of a network, and of its copies with other constants, are computed, and what was seen of them."""

    plan: Plan | None = None
    """how convolutions and batch norms are computed; None: as the module does it"""
    channels_last: bool = False
    checks: Checks = field(default_factory=Checks)
    forward_mode: bool = True
    """whether its operations have derivatives in it, for all that is known"""
    silent: bool = False
    _said: set[str] = field(default_factory=set)

    def give_way(self, error: Exception) -> None:
        """What went wrong in a rewritten pass is not done again: it becomes plainer, by as little as helps."""
        if isinstance(error, AnotherPath) and self.plan is not None:
            self.plan = self.plan.without(error.weight)
            self.say(f"{error}: no batch norm is folded into its convolution")
        elif self.channels_last and not isinstance(error, _Grown):
            self.channels_last = False
        else:
            self.plan = None
            self.say(f"passes of the network are computed as its module does, which may be slower: {reason(error)}")

    def say(self, words: str) -> None:
        """Write the words on stderr, each only once, and not at all where the network is silent."""
        if not self.silent and words not in self._said:
            note(words)
        self._said.add(words)


class Network:
    """outputs = network(weights, x); `constants` are the parameters and buffers that stay. The module is untouched."""

    def __init__(self, model: nn.Module, constants: Mapping[str, Tensor]) -> None:
        self.model, self._constants = model, constants
        self.rewriting = Rewriting()

    @property
    def plan(self) -> Plan | None:
        """How convolutions and batch norms are computed; None: as the module does it."""
        return self.rewriting.plan

    def fold(self, weights: Mapping[str, Tensor], x: Any) -> None:
        """Compute convolutions and batch norms in a form that is cheaper from now on (see `folding`), if it agrees.

        Judged by the outputs for the examples `x`, and for others as they come (see `checks`). Images and kernels then
        lie in memory with channels last, but where images are tiny beside the kernels and most is not computed in
        tiles. What takes another path for other examples is computed plainly.
        """
        tensors = self.tensors(weights)
        with Tracing(tensors) as trace:
            called(self.model, tensors, x)
        if trace.plan.norms or trace.norms:
            light = trace.kernels <= HEAVY * trace.images / len(x) or 2 * trace.tiled >= trace.products
            on_cpu = next(iter(tensors.values())).device.type == "cpu"
            self.rewriting.plan, self.rewriting.channels_last = trace.plan, light or not on_cpu
            self(weights, x)

    def tensors(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All parameters and buffers by name: the given weights beside the constants."""
        return {**self._constants, **weights}

    def plain(self, weights: Mapping[str, Tensor], x: Any) -> Any:
        """The outputs for inputs x (n, ...), as the module computes them."""
        return called(self.model, self.tensors(weights), x)

    def of(self, model: nn.Module, x: Any) -> Any:
        """The outputs of another module of the kind, as it is."""
        return called(model, {}, x)

    def holding(self, constants: Mapping[str, Tensor]) -> Network:
        """The same network with other values of some constants: how it is computed stays, since a plan knows them by
        name.
        """
        other = copy(self)
        other._constants = {**self._constants, **constants}
        return other

    def in_double(self) -> Network:
        """The same network with constants in float64; what is seen of its passes does not count for the others."""
        other = self.holding(
            {name: each.double() for name, each in self._constants.items() if each.is_floating_point()}
        )
        other.rewriting = Rewriting(self.plan, self.rewriting.channels_last, silent=True)
        return other

    def __call__(self, weights: Mapping[str, Tensor], x: Any) -> Any:
        """The outputs for inputs x (n, ...), in the cheapest form that agrees with the module's."""
        tensors = self.tensors(weights)
        while self.plan is not None:
            try:
                outputs, way = self._rewritten(self.plan, tensors, x)
                self._compare(tensors, x, outputs, way)
                return outputs
            except _Grown:
                continue
            except Exception as error:  # whatever a network does that a rewritten pass does not bear
                if is_no_fault_of_the_form(error):
                    raise
                self.rewriting.give_way(error)
        return called(self.model, tensors, x)

    def _rewritten(self, plan: Plan, tensors: Mapping[str, Tensor], x: Any) -> tuple[Any, Hashable]:
        """The outputs, and by which way: the shapes of the inputs, and the weights that were used, in order."""
        last = self.rewriting.channels_last
        with Folding(plan, tensors, last) as folding:
            outputs = called(self.model, tensors, channels_last(x) if last else x)
        folding.check(outputs)
        return outputs, (shapes(x), tuple(folding.met))

    def _compare(self, tensors: Mapping[str, Tensor], x: Any, outputs: Any, way: Hashable) -> None:
        """With plain passes, on a chunk's first pass; what these are watched to do is planned from then on."""
        fixed = {name: tensor.detach() for name, tensor in tensors.items()}

        def plain(inputs: Any) -> Any:
            with Tracing(fixed) as trace:
                made = called(self.model, fixed, inputs)
            self._grow(trace.plan)
            return made

        self.rewriting.checks.compare(x, outputs, way, plain)

    def _grow(self, found: Plan) -> None:
        known = self.rewriting.plan
        if known is not None and known.joined(found) != known:
            self.rewriting.plan = known.joined(found)
            raise _Grown


def called(model: nn.Module, tensors: Mapping[str, Tensor], x: Any) -> Any:
    """The module's outputs for inputs x with these parameters and buffers in place of its own."""
    with nothing_recomputed(), WrittenOut() if torch.is_grad_enabled() else nullcontext():
        return functional_call(model, dict(tensors), *arguments(x))


def is_no_fault_of_the_form(error: Exception) -> bool:
    """Whether a plain pass would end in it too: one of memory or forward mode, or one that is the user's to mend."""
    out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
    return out_of_memory or isinstance(error, BadInput) or no_forward_mode(error)


def no_forward_mode(error: Exception) -> bool:
    """Whether it is that of an operation without a derivative in forward mode."""
    return any(each in str(error) for each in FORWARD_MODE)


def reason(error: Exception) -> str:
    """Why a faster form is not used, in a line."""
    if isinstance(error, Disagreement):
        return "the numbers of a faster form differed"
    said = str(error).strip().splitlines()
    return f"a faster form ended in {type(error).__name__}{': ' + said[0][:120] if said else ''}"
