"""Which batch norms are folded into which convolutions: known by their weights, found by watching a plain pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from landscape.passes.convolution import Geometry
from minima.zoo.anatomy.operations import GEOMETRY, OPERANDS, named

CONVOLUTIONS: dict[Callable[..., Any], int] = {functional.conv1d: 1, functional.conv2d: 2, functional.conv3d: 3}
"""with the number of their spatial axes"""
ARGUMENTS = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
"""of `functional.batch_norm`"""
COMPUTED = ""
"""the name of all weights that are no parameter or buffer, but made of some in the pass: nothing folds into these"""


@dataclass(frozen=True)
class Norm:
    """A batch norm in eval mode, by the names of its tensors."""

    weight: str | None
    bias: str | None
    mean: str
    variance: str
    eps: float

    def affine(self, tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """(C,) s and (C,) t of y -> s y + t."""
        weight, bias = (tensors[name] if name else None for name in (self.weight, self.bias))
        return affine(tensors[self.mean], tensors[self.variance], weight, bias, self.eps)

    @classmethod
    def met(cls, names: Mapping[int, str], given: Mapping[str, Any]) -> Norm | None:
        """The batch norm that a call's arguments give, `names` being of tensors by id; None where statistics are not
        fixed, or not named.

        >>> mean, variance = torch.zeros(2), torch.ones(2)
        >>> Norm.met({id(mean): "m", id(variance): "v"}, {"running_mean": mean, "running_var": variance, "eps": 0.1})
        Norm(weight=None, bias=None, mean='m', variance='v', eps=0.1)
        """
        tensors = [given.get(argument) for argument in ("weight", "bias", "running_mean", "running_var")]
        weight, bias, mean, variance = (names.get(id(tensor)) for tensor in tensors)
        unknown = any(id(tensor) not in names for tensor in tensors if tensor is not None)
        if given.get("training") or unknown or mean is None or variance is None:
            return None
        return cls(weight, bias, mean, variance, given.get("eps", 1e-5))


@dataclass(frozen=True)
class Plan:
    """What can be folded: for each use of a convolution's weight, in order, the batch norm that alone uses its result,
    or None.

    What a plan does not know is not folded, so that a pass by it may take another path than those that were watched.
    """

    norms: Mapping[str, tuple[Norm | None, ...]]
    """by the weight's name"""
    barred: frozenset[str] = frozenset()
    """weights into whose convolutions nothing is folded"""

    def norm(self, weight: str, use: int) -> Norm | None:
        """What is to be folded into a convolution; further uses are as those that are known, where these are alike.

        >>> one, other = Norm(None, None, "m", "v", 0.1), Norm(None, None, "n", "v", 0.1)
        >>> plan = Plan({"a": (one, one), "b": (one, other)})
        >>> [plan.norm("a", 5) == one, plan.norm("b", 1) == other, plan.norm("b", 2), plan.norm("c", 0)]
        [True, True, None, None]
        """
        known = self.norms.get(weight, ())
        if not known or weight == COMPUTED or weight in self.barred:
            return None
        if use < len(known):
            return known[use]
        return known[0] if len(set(known)) == 1 else None

    def joined(self, other: Plan) -> Plan:
        """This plan joined with what another pass was watched to do: where they differ nothing is folded."""
        norms = dict(self.norms)
        for weight, found in other.norms.items():
            own = norms.get(weight, found)
            longest = own if len(own) > len(found) else found
            pairs = enumerate(zip_longest(own, found))
            beyond = min(len(own), len(found))
            norms[weight] = tuple(longest[use] if use >= beyond or a == b else None for use, (a, b) in pairs)
        return Plan(norms, self.barred | other.barred)

    def without(self, weight: str) -> Plan:
        """This plan with nothing folded into convolutions of this weight."""
        return Plan(self.norms, self.barred | {weight})


def affine(
    mean: Tensor, variance: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor]:
    """(C,) s and t of batch norm y -> s y + t with fixed statistics.

    >>> [each.tolist() for each in affine(torch.tensor([1.0]), torch.tensor([4.0]), torch.tensor([6.0]), None, 0.0)]
    [[3.0], [-3.0]]
    """
    scale = (variance + eps).rsqrt()
    scale = scale if weight is None else weight * scale
    shift = -mean * scale
    return scale, shift if bias is None else bias + shift


class Tracing(TorchFunctionMode):
    """Watches a pass and finds its plan; `tensors` are the parameters and buffers that the pass uses."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._names = {id(tensor): name for name, tensor in tensors.items()}
        self._made: list[tuple[str, Tensor]] = []
        self._uses: dict[int, list[Norm | None]] = {}
        self.norms = self.kernels = self.images = self.products = self.tiled = 0
        """of the norms met, how many; of kernels and of what convolutions made, how many numbers; of the products of
        numbers in convolutions, how many, and how many in those that can be computed in tiles (see `winograd`)"""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        norm = None
        if func is functional.batch_norm:
            norm = Norm.met(self._names, named(ARGUMENTS, args, kwargs or {}))
            self.norms += 1
        if any(torch.is_tensor(leaf) for leaf in tree_leaves(made)):  # not a question such as x.dim()
            for leaf in tree_leaves((args, kwargs)):
                if id(leaf) in self._uses:
                    self._uses[id(leaf)].append(norm)
        if func in CONVOLUTIONS:
            given = named((*OPERANDS, *GEOMETRY), args, kwargs or {})
            self._weigh(CONVOLUTIONS[func], made, given)
            self._made.append((self._names.get(id(given["weight"]), COMPUTED), made))
            self._uses[id(made)] = []
        return made

    @property
    def plan(self) -> Plan:
        """What may be folded: a convolution whose result goes to a batch norm and nowhere else."""
        norms: dict[str, tuple[Norm | None, ...]] = {}
        for weight, made in self._made:
            uses = self._uses[id(made)]
            norms[weight] = (*norms.get(weight, ()), uses[0] if len(uses) == 1 else None)
        return Plan(norms)

    def _weigh(self, axes: int, made: Tensor, given: Mapping[str, Any]) -> None:
        weight, geometry = given["weight"], Geometry.given(axes, given)
        products = made.numel() * weight[0].numel()
        self.kernels += weight.numel()
        self.images += made.numel()
        self.products += products
        if geometry is not None and geometry.in_tiles(given["input"], weight):
            self.tiled += products
