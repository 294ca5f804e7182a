"""Networks that a file describes: no larger than the file, and no settings that end in an error of torch's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from minima.store.command import BadInput
from minima.store.messages import brief

MOST = 100_000
"""parameters in a network, each a tensor"""
SMALL = 2**26
"""numbers that a network may have, whatever the file holds: it is built, and what does not fit is said by name"""


@dataclass(frozen=True)
class Held:
    """How many numbers a file holds, to be compared with what a network would have."""

    tensors: int
    numbers: int

    def check(self, shapes: Iterable[tuple[int, ...]], name: str) -> None:
        """Refuse a large network with more numbers than the file, before it takes any memory."""
        asked = sum(map(math.prod, shapes))
        if asked > max(self.numbers, SMALL):
            raise BadInput(f"the network {name} has {asked:,} numbers, and the file holds {self.numbers:,}")


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """What torch says of settings that make no network, as a message."""
    try:
        yield
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError, AssertionError) as error:
        raise BadInput(f"the network {name} cannot be made with these settings: {brief(error)}") from error


@contextmanager
def shapes_only(parameters: int | None = None) -> Iterator[None]:
    """Inside the block modules have shapes and no values, and at most so many parameters; nothing is drawn."""
    import torch
    from torch.overrides import TorchFunctionMode

    drawing = (torch.Tensor.normal_, torch.Tensor.uniform_)

    class Undrawn(TorchFunctionMode):
        """Leaves out what torch has no quick form of for tensors without values."""

        def __torch_function__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
            return args[0] if func in drawing else func(*args, **(kwargs or {}))

    with _at_most(parameters), torch.random.fork_rng(devices=[]), torch.device("meta"), Undrawn():
        yield


@contextmanager
def _at_most(parameters: int | None) -> Iterator[None]:
    """Inside the block modules may not be given more parameters than that, all together."""
    from torch.nn.modules import module

    most = MOST if parameters is None else parameters
    left = iter(range(most))

    def count(_: object, __: str, parameter: object) -> None:
        if parameter is not None and next(left, None) is None:
            raise BadInput(f"the network that the file describes has more than {most:,} parameters, and the file fewer")

    hook = module.register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
