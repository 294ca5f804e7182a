"""A pass of a network on a tape: each operation with its operands, its results and the module that called it.

One `TorchFunctionMode` sees every operation as it is called (module, function, method, in place, at any depth); nothing
is registered on the network. Readers go over the tape when the pass is over. Those that need the numbers listen while
it runs: no activation lives longer for being recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from minima.zoo.anatomy.callers import Caller, Callers
from minima.zoo.anatomy.operations import in_order, named, operation_name
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call, called, leaves
from minima.zoo.examples.outputs import tensors_of

PLAIN = frozenset((int, float, bool, str, type(None)))


@dataclass(eq=False, slots=True)
class Value:
    """A tensor that went into a pass or was made in it, as it was then: written to in place, it is another value."""

    shape: torch.Size
    dtype: torch.dtype
    version: int
    """how often the tensor had been written to; -1 where torch does not count"""
    reference: Callable[[], Tensor | None] = field(repr=False)

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def tensor(self) -> Tensor:
        """The tensor itself, while it lives: during its operation, or longer if somebody holds it."""
        tensor = self.reference()
        assert tensor is not None
        return tensor

    def numel(self) -> int:
        """The number of its entries."""
        return self.shape.numel()


@dataclass(eq=False, slots=True)
class Operation:
    """A call of an operation of torch. Each tensor among its arguments is a `Value` if the pass was given or made it;
    what was there before (a parameter, a buffer, a constant of the network's) stands for itself.
    """

    name: str
    """the plain one (see `operations`)"""
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    caller: Caller
    operands: list[Any]
    """the values and tensors among the arguments, in order"""
    made: list[Value] = field(default_factory=list)
    """none where it asks for a shape, say"""

    @property
    def where(self) -> str:
        """The operation and the module that calls it, in words."""
        return f"{self.name} in {self.caller.path or 'the network'}"

    def given(self, *names: str) -> dict[str, Any]:
        """Arguments by these names, None where there are none."""
        given = named(names, self.args, self.kwargs)
        return {name: given.get(name) for name in names}


class Listener:
    """Who follows the operations of a pass while it runs."""

    def begin(self, inputs: list[Value]) -> None:
        """Called when a pass begins, with its inputs."""

    def before(self, operation: Operation) -> None:
        """Called when an operation is about to be computed."""

    def after(self, operation: Operation) -> None:
        """Called when an operation was computed: `made` is known."""


class Tape(Listener):
    """The operations of a pass that made something, in order."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self._held: list[Tensor] = []
        """indices and masks, whose entries decide what their operations do"""

    def begin(self, inputs: list[Value]) -> None:
        """Forget the pass before: a tape holds one."""
        self.operations, self.inputs, self._held = [], inputs, []
        self._hold(inputs)

    def after(self, operation: Operation) -> None:
        """Write the operation down, if it made a tensor."""
        if operation.made:
            self.operations.append(operation)
            self._hold(operation.made)

    def _hold(self, values: list[Value]) -> None:
        self._held += [value.tensor for value in values if not value.dtype.is_floating_point]


class Recorder(TorchFunctionMode):
    """Intercepts the operations of a network's passes, and tells listeners."""

    def __init__(self, model: nn.Module, *listeners: Listener) -> None:
        super().__init__()
        self.model, self.listeners, self.callers = model, listeners, Callers(model)

    def run(self, x: Inputs, through: Callable[[nn.Module, Inputs], Any] = call) -> Any:
        """Make one pass over x (N, ...), without gradients, and return what the network returned.

        What was compiled (`torch.compile`) runs as it was written, under the names it had before.
        """
        self._values: dict[int, Value] = {}
        """by the id of a tensor: the value that it was last"""
        self._writes: dict[int, Value] = {}
        """by memory: what was written there last"""
        inputs = [self._note(leaf) for leaf in leaves(x)]
        for listener in self.listeners:
            listener.begin(inputs)
        with torch.no_grad(), _uncompiled(), self.callers.followed(), self:
            return through(self.model, x)

    def value(self, tensor: Tensor) -> Any:
        """The value that a tensor is now; itself if the pass did not make it."""
        found = self._values.get(id(tensor))
        if found is None or found.reference() is not tensor:
            return tensor
        return found if found.version == _version(tensor) else self._overwritten(tensor, found)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See an operation."""
        func, args = in_order(func, args)
        kwargs, operands, before = kwargs or {}, list[Any](), dict[int, int]()
        seen, given = self._seen(args, operands, before), self._seen(kwargs, operands, before) if kwargs else {}
        if not seen and "input" in given:
            seen = (given.pop("input"),)
        operation = Operation(operation_name(func), func, seen, given, self.callers.now, operands)
        for listener in self.listeners:
            listener.before(operation)
        result = func(*args, **kwargs)
        for leaf in _leaves(args[0] if operation.name == "setitem" else result):
            operation.made.append(self._note(leaf, before.get(id(leaf))))
            if id(leaf) in before:
                self._writes[_memory(leaf)] = operation.made[-1]
        for listener in self.listeners:
            listener.after(operation)
        return result

    def _note(self, tensor: Tensor, before: int | None = None) -> Value:
        """A new value, unless an operand was handed on as it was, which then remains the value that it is."""
        value = Value(tensor.shape, tensor.dtype, _version(tensor), ref(tensor))
        if before is None or before != value.version or before < 0:
            self._values[id(tensor)] = value
        return value

    def _seen(self, value: Any, operands: list[Any], versions: dict[int, int]) -> Any:
        """An argument with values in the place of tensors that the pass was given or made; `operands` gets these, and
        `versions` how often each tensor was written to, by its id.
        """
        if type(value) in PLAIN:
            return value
        if isinstance(value, Tensor):
            operands.append(self.value(value))
            versions[id(value)] = _version(value)
            return operands[-1]
        if isinstance(value, dict):
            return {key: self._seen(each, operands, versions) for key, each in value.items()}
        if isinstance(value, tuple | list) and not isinstance(value, torch.Size):
            seen = [each if type(each) in PLAIN else self._seen(each, operands, versions) for each in value]
            return seen if isinstance(value, list) else tuple(seen)
        return value

    def _overwritten(self, tensor: Tensor, before: Value) -> Value:
        """A tensor that was written to by way of another that shares its memory, which is an operation by itself."""
        writer = self._writes.get(_memory(tensor))
        operands = [before] if writer is None else [before, writer]
        operation = Operation("overwritten", overwritten, tuple(operands), {}, self.callers.now, operands)
        for listener in self.listeners:
            listener.before(operation)
        operation.made = [self._note(tensor)]
        for listener in self.listeners:
            listener.after(operation)
        return operation.made[0]


def record(model: nn.Module, x: Inputs, *listeners: Listener) -> Tape:
    """A pass of `model`, in eval mode, over x (N, ...).

    Raises:
        DoesNotRun: its own code raised an error.

    >>> tape = record(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), torch.zeros(1, 2))
    >>> [(operation.name, operation.caller.path, operation.made[0].shape) for operation in tape.operations]
    [('linear', '0', torch.Size([1, 3])), ('relu', '1', torch.Size([1, 3]))]
    """
    tape = Tape()
    recorder = Recorder(model, tape, *listeners)
    with evaluating(model):
        output = recorder.run(x, called)
    tape.outputs = [recorder.value(leaf) for leaf in tensors_of(output)]
    return tape


def is_tensor(value: Any) -> bool:
    """Whether an argument of an operation on a tape is a tensor."""
    return isinstance(value, Tensor | Value)


def concrete(values: Any) -> Any:
    """Arguments of an operation on a tape as the operation takes them: indices and masks themselves, of floating
    tensors the shape only.
    """
    if isinstance(values, Value):
        floating = values.dtype.is_floating_point
        return torch.empty(values.shape, dtype=values.dtype, device="meta") if floating else values.tensor
    if isinstance(values, tuple | list):
        return type(values)(map(concrete, values))
    return {key: concrete(value) for key, value in values.items()} if isinstance(values, dict) else values


def _leaves(values: Any) -> Iterator[Tensor]:
    """The tensors in a result."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _leaves(value)
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _leaves(value)


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided else id(tensor)


def overwritten(tensor: Any, *_written: Any) -> Any:
    """A tensor that was written to by way of another that shares its memory: the same tensor."""
    return tensor


def _uncompiled() -> AbstractContextManager[Any]:
    """Compiled modules and functions run as they were written; nothing is compiled before the compiler is loaded."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")
