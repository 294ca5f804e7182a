"""How much memory the passes of a network take, found out by running it on an example or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from minima.store.memory import GIB, foreseen_within
from minima.store.room import allowed
from minima.zoo.examples.batches import default_batch_size
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call, leaves

if TYPE_CHECKING:
    from torch import nn

OF_A_WEIGHT = 60
"""bytes that gradients, products and the check of derivatives hold for each weight at once, all in all; training with
its momentum, and what is saved of it, takes less"""
OF_A_GRAPH = 2.25
"""times its size: a graph that is differentiated, and what that makes on the way (a product of a
ResNet-50 on images of 224 pixels took 11 % more than twice)"""
ALIVE = 6
"""largest results of an operation, for one batch, that a pass without derivatives and who looks at it hold together"""


@dataclass(frozen=True)
class Needs:
    """Bytes that the derivatives of a network take, beside what is kept from one to the next."""

    fixed: float
    """whatever the examples"""
    each: float
    """for each example of a chunk"""

    @classmethod
    def measured(cls, weights: int, saved: Callable[[int], int], examples: int) -> Needs:
        """The needs of a network with so many weights; `saved`: bytes that the graph of the gradient of so many
        examples saves, of which there are `examples`.

        >>> Needs.measured(0, lambda count: 100 + 10 * count, 5)
        Needs(fixed=225.0, each=22.5)
        """
        one = saved(1)
        each = max(1, saved(2) - one) if examples > 1 else one
        return cls(float(OF_A_WEIGHT * weights + OF_A_GRAPH * (one - each)), float(OF_A_GRAPH * each))

    def of(self, examples: int) -> float:
        """Bytes that derivatives take with so many examples at once."""
        return self.fixed + self.each * examples

    def kept(self, examples: int) -> float:
        """Bytes that graphs of so many examples save while they are kept, beside which there is the work on others."""
        return self.each / OF_A_GRAPH * examples

    def fitting(self, room: float) -> int:
        """How many examples at once so many bytes allow, one at least."""
        return max(1, int((room - self.fixed) // self.each))


def saved_bytes(build: Callable[[], Any]) -> int:
    """Bytes of the tensors that autograd saves for the graph that `build` makes and returns, each storage once.

    >>> x = torch.ones(10, requires_grad=True)
    >>> saved_bytes(lambda: x.exp())
    40
    """
    storages: dict[int, int] = {}
    saved: list[Tensor] = []

    def pack(tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        saved.append(tensor)
        return len(saved) - 1

    with saved_tensors_hooks(pack, saved.__getitem__):
        graph = build()
    del graph
    saved.clear()  # a node that saved its own output would keep itself alive for good
    return sum(storages.values())


class _Largest(TorchDispatchMode):
    """Bytes of the largest tensor that an operation makes; views of the network's own are none."""

    def __init__(self, own: set[int]) -> None:
        super().__init__()
        self.bytes, self._own = 0, own

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, Tensor) and each.untyped_storage().data_ptr() not in self._own:
                self.bytes = max(self.bytes, each.numel() * each.element_size())
        return result


def affordable_batch(model: nn.Module, x: Inputs, batch_size: int | None = None) -> int:
    """How many examples a pass without derivatives takes at once: `batch_size` (by default as suits x), or fewer if
    --memory does not hold so many.

    >>> affordable_batch(torch.nn.Linear(2, 50), torch.zeros(3, 2), 7)
    7
    """
    with torch.random.fork_rng(devices=[]):
        each = max(1, pass_bytes(model, x))
    return max(1, min(batch_size or default_batch_size(x), int(foreseen_within(allowed() * GIB) // each)))


def pass_bytes(model: nn.Module, x: Inputs) -> int:
    """Bytes that a pass of `model` without derivatives takes for each example of its batch, the inputs among them.

    Seen with one example of x (N, ...), in eval mode. Of a network that does not run so, only the inputs are known: the
    work itself tells why.

    >>> pass_bytes(torch.nn.Linear(2, 50), torch.zeros(3, 2))  # 8 bytes of inputs, and 6 times 50 outputs
    1208
    """
    inputs = sum(leaf.numel() * leaf.element_size() for leaf in leaves(x[:1]))
    tensors = (*model.parameters(), *model.buffers())
    seen = _Largest({tensor.untyped_storage().data_ptr() for tensor in tensors})
    try:
        with evaluating(model), torch.no_grad(), seen:
            call(model, x[:1])
    except Exception:  # whatever a network does
        return inputs
    return inputs + ALIVE * seen.bytes
