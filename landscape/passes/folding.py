"""Batch norm in eval mode folded into the convolution before it; convolutions and ReLUs cheap to differentiate.

In eval mode batch norm is y -> s y + t with s = gamma / sqrt(variance + eps) and t = beta - mean s, so that behind a
convolution it is that convolution with kernel s W and bias t. Folded inside the differentiated function it leaves
values and derivatives as they are, to rounding, and spares the passes over the images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from landscape.passes.convolution import Geometry, convolution
from landscape.passes.rectifier import rectified
from minima.zoo.anatomy.operations import GEOMETRY, OPERANDS, named

CONVOLUTIONS: dict[Callable[..., Any], int] = {functional.conv1d: 1, functional.conv2d: 2, functional.conv3d: 3}
"""with the number of their spatial axes"""
RELUS = (functional.relu, torch.relu, Tensor.relu)
"""those that may leave their input as it is"""
ARGUMENTS = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
"""of `functional.batch_norm`"""


class AnotherPath(Exception):
    """A pass met other convolutions than the one that was traced."""


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


Plan = Sequence[Norm | None]
"""for each convolution of a pass, in order, the batch norm that alone uses what it makes"""


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
        self._made: list[Tensor] = []
        self._uses: dict[int, list[Norm | None]] = {}
        self.norms = self.kernels = self.images = self.products = self.tiled = 0
        """of the norms met, how many; of kernels and of what convolutions made, how many numbers; of the products of
        numbers in convolutions, how many, and how many in those that can be computed in tiles (see `winograd`)"""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        norm = self._norm(*args, **(kwargs or {})) if func is functional.batch_norm else None
        if any(torch.is_tensor(leaf) for leaf in tree_leaves(made)):  # not a question such as x.dim()
            for leaf in tree_leaves((args, kwargs)):
                if id(leaf) in self._uses:
                    self._uses[id(leaf)].append(norm)
        if func in CONVOLUTIONS:
            self._weigh(CONVOLUTIONS[func], made, named((*OPERANDS, *GEOMETRY), args, kwargs or {}))
            self._made.append(made)
            self._uses[id(made)] = []
        return made

    @property
    def plan(self) -> Plan:
        """What may be folded: a convolution whose result goes to a batch norm and nowhere else."""
        uses = [self._uses[id(made)] for made in self._made]
        return tuple(norms[0] if len(norms) == 1 else None for norms in uses)

    def _weigh(self, axes: int, made: Tensor, given: Mapping[str, Any]) -> None:
        weight, geometry = given["weight"], Geometry.given(axes, given)
        products = made.numel() * weight[0].numel()
        self.kernels += weight.numel()
        self.images += made.numel()
        self.products += products
        if geometry is not None and geometry.in_tiles(given["input"], weight):
            self.tiled += products

    def _norm(self, *args: Any, **kwargs: Any) -> Norm | None:
        given = named(ARGUMENTS, args, kwargs)
        tensors = [given.get(argument) for argument in ("weight", "bias", "running_mean", "running_var")]
        weight, bias, mean, variance = (self._names.get(id(tensor)) for tensor in tensors)
        self.norms += 1
        unknown = any(id(tensor) not in self._names for tensor in tensors if tensor is not None)
        if given.get("training") or unknown or mean is None or variance is None:
            return None
        return Norm(weight, bias, mean, variance, given.get("eps", 1e-5))


class Folding(TorchFunctionMode):
    """Computes one pass by a plan; `channels_last`: kernels lie in memory like images that do.

    Raises:
        AnotherPath: the pass is not the one that the plan is for.
    """

    def __init__(self, plan: Plan, tensors: Mapping[str, Tensor], channels_last: bool) -> None:
        super().__init__()
        self._plan, self._tensors, self._channels_last = plan, tensors, channels_last
        self._count = 0
        self._folded: dict[int, Tensor] = {}

    def check(self) -> None:
        """The pass is over: everything was met."""
        if self._folded or self._count != len(self._plan):
            raise AnotherPath

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in CONVOLUTIONS:
            return self._convolve(func, named((*OPERANDS, *GEOMETRY), args, kwargs or {}))
        if func is functional.batch_norm:
            return self._normalise(*args, **(kwargs or {}))
        if func in RELUS and torch.is_grad_enabled():
            given = named(("input", "inplace"), args, kwargs or {})
            return func(**given) if given.get("inplace") else rectified(given["input"])
        return func(*args, **(kwargs or {}))

    def _convolve(self, func: Callable[..., Any], given: dict[str, Any]) -> Tensor:
        if self._count == len(self._plan):
            raise AnotherPath
        norm, axes = self._plan[self._count], CONVOLUTIONS[func]
        self._count += 1
        weight, bias = given["weight"], given.get("bias")
        if norm is not None:
            scale, shift = norm.affine(self._tensors)
            weight = weight * scale.view(-1, *[1] * (axes + 1))
            bias = shift if bias is None else bias * scale + shift
        if axes == 2 and self._channels_last:
            weight = weight.contiguous(memory_format=torch.channels_last)
        geometry = Geometry.given(axes, given)
        if geometry is None:
            made = func(**given | {"weight": weight, "bias": bias})
        else:
            made = convolution(given["input"], weight, bias, geometry)
        if norm is not None:
            self._folded[id(made)] = made
        return made

    def _normalise(
        self,
        input: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if self._folded.pop(id(input), None) is not None:
            return input
        if training or running_mean is None or running_var is None or not torch.is_grad_enabled():
            return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
        scale, shift = affine(running_mean, running_var, weight, bias, eps)
        along = (-1, *[1] * (input.ndim - 2))
        return input * scale.view(along) + shift.view(along)
