"""Inputs of any structure: a tensor, or several with one leading axis, as a module takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.store.messages import brief
from minima.zoo.examples.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Inputs = Any
"""a Tensor (N, ...), or `Several`, or `Lazy` for either"""


@dataclass(frozen=True)
class Several:
    """Tensors with one leading axis (N, ...): a tuple for `model(*x)`, or a dict for `model(**x)`.

    >>> import torch
    >>> x = Several({"ids": torch.zeros(3, 2), "mask": torch.ones(3, 2)})
    >>> len(x), x[1:].fields["ids"].shape
    (3, torch.Size([2, 2]))
    """

    fields: tuple[Tensor, ...] | Mapping[str, Tensor]

    def __post_init__(self) -> None:
        counts = {name: len(tensor) for name, tensor in self.items()}
        if not counts:
            raise BadInput("the inputs are an empty tuple or dict: there is nothing to put through the network")
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
            raise BadInput(f"the inputs hold different numbers of examples ({said}): expected one leading axis for all")

    def items(self) -> Iterator[tuple[str, Tensor]]:
        """The tensors by name, or by their place."""
        if isinstance(self.fields, Mapping):
            yield from self.fields.items()
        else:
            yield from ((str(place), tensor) for place, tensor in enumerate(self.fields))

    def map(self, function: Callable[[Tensor], Tensor]) -> Several:
        """The same structure, of what the function makes of each tensor."""
        if isinstance(self.fields, Mapping):
            return Several({name: function(tensor) for name, tensor in self.fields.items()})
        return Several(tuple(function(tensor) for tensor in self.fields))

    def __len__(self) -> int:
        return len(self.leaves[0])

    def __getitem__(self, examples: Any) -> Several:
        return self.map(lambda tensor: tensor[examples])

    @property
    def leaves(self) -> list[Tensor]:
        """The tensors, in the order of the structure."""
        return [tensor for _, tensor in self.items()]

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape of each tensor with its name: what serves as a key, and in messages."""
        return tuple((name, tuple(tensor.shape)) for name, tensor in self.items())

    @property
    def device(self) -> torch.device:
        """The device that all tensors are on."""
        return self.leaves[0].device

    @property
    def is_cuda(self) -> bool:
        """Whether they lie on a GPU."""
        return self.leaves[0].is_cuda

    @property
    def ndim(self) -> int:
        """Always 0, since several tensors are no image."""
        return 0

    def to(self, *where: Any) -> Several:
        """The same structure on another device; a data type concerns floating tensors only."""
        kinds = [each for each in where if type(each).__name__ == "dtype"]
        others = [each for each in where if type(each).__name__ != "dtype"]
        return self.map(lambda tensor: tensor.to(*(where if tensor.is_floating_point() or not kinds else others)))

    def is_floating_point(self) -> bool:
        """Whether any of the tensors is of a floating type."""
        return any(tensor.is_floating_point() for tensor in self.leaves)

    def numel(self) -> int:
        """The number of numbers in all tensors together."""
        return sum(tensor.numel() for tensor in self.leaves)

    def split(self, size: int) -> list[Several]:
        """Consecutive chunks of `size` examples each, the last perhaps smaller."""
        return [self[first : first + size] for first in range(0, len(self), size)]


def as_inputs(x: Any) -> Inputs:
    """A tensor as it is; a tuple, list or dict of tensors as `Several`."""
    if isinstance(x, Mapping):
        return Several(dict(x))
    return Several(tuple(x)) if isinstance(x, tuple | list) else x


def arguments(x: Inputs) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and keyword arguments that a module is called with for these inputs.

    >>> arguments(Several((1 * [None], 1 * [None])))
    (([None], [None]), {})
    """
    if not isinstance(x, Several):
        return (x,), {}
    return ((), dict(x.fields)) if isinstance(x.fields, Mapping) else (tuple(x.fields), {})


def call(model: nn.Module, x: Inputs) -> Any:
    """The module's outputs for inputs x."""
    positional, named = arguments(x)
    return model(*positional, **named)


class DoesNotRun(BadInput):
    """The network's own code raises an error on the examples it is given."""


def called(model: nn.Module, x: Inputs) -> Any:
    """The module's outputs, where its code is anybody's: what goes wrong in it is said.

    Raises:
        DoesNotRun: the module raised an error, which is the cause.
    """
    try:
        return call(model, x)
    except BadInput:
        raise
    except Exception as error:
        count = "1 example" if len(x) == 1 else f"{len(x)} examples"
        raise DoesNotRun(
            f"the network does not run on {count} of shape {shapes(x)}, in {dtypes(x)}: {brief(error)}"
        ) from error


def floats_to(x: Inputs, dtype: torch.dtype) -> Inputs:
    """Floating inputs in the data type that the network runs in; integers stay."""

    def converted(tensor: Tensor) -> Tensor:
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    return mapped(x, converted)


def mapped(x: Inputs, function: Callable[[Tensor], Tensor]) -> Inputs:
    """Inputs of the same structure, of what becomes of each tensor."""
    return x.map(function) if isinstance(x, Several | Lazy) else function(x)


def part_of(x: Inputs, examples: Any) -> Inputs:
    """Many of the examples, by a slice or indices: what is not in memory stays out of it."""
    return x.some(examples) if isinstance(x, Lazy) else x[examples]


def leaves(x: Inputs) -> list[Tensor]:
    """The tensors that inputs are made of; of what is not in memory, those of the first example."""
    if isinstance(x, Lazy):
        return leaves(x.first)
    return x.leaves if isinstance(x, Several) else [x]


def same(one: Inputs, other: Inputs) -> bool:
    """Whether two inputs have the same numbers, compared chunk by chunk."""
    import torch

    if one is other or (isinstance(one, Lazy) and isinstance(other, Lazy) and one.same_as(other)):
        return True
    if len(one) != len(other) or shapes(one) != shapes(other):
        return False
    pairs = ((leaves(one[chunk]), leaves(other[chunk])) for chunk in ranges(one))
    return all(torch.equal(*each) for pair in pairs for each in zip(*pair, strict=True))


def ranges(x: Inputs, numbers: int = 2**22) -> Iterator[slice]:
    """Consecutive ranges of examples with about so many `numbers` in each."""
    size = max(1, numbers // max(1, x[:1].numel()))
    yield from (slice(first, min(first + size, len(x))) for first in range(0, len(x), size))


def dtypes(x: Inputs) -> str:
    """The data types of inputs, in words.

    >>> import torch
    >>> dtypes(torch.zeros(2, dtype=torch.uint8))
    'uint8'
    """
    return ", ".join(str(leaf.dtype).removeprefix("torch.") for leaf in leaves(x))


def shapes(x: Inputs) -> str:
    """The shape of one example, in words.

    >>> import torch
    >>> shapes(torch.zeros(5, 3, 32)), shapes(Several({"ids": torch.zeros(5, 7)}))
    ('(3, 32)', 'ids (7,)')
    """
    if isinstance(x, Lazy):
        return shapes(x.first)
    if isinstance(x, Several):
        return ", ".join(f"{name} {tuple(tensor.shape[1:])}" for name, tensor in x.items())
    return str(tuple(x.shape[1:]))
