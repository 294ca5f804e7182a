"""Batch norm in eval mode folded into the convolution before it; convolutions and ReLUs cheap to differentiate.

In eval mode batch norm is y -> s y + t with s = gamma / sqrt(variance + eps) and t = beta - mean s, so that behind a
convolution it is that convolution with kernel s W and bias t. Folded inside the differentiated function it leaves
values and derivatives as they are, to rounding, and spares the passes over the images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing, get_proxy_mode
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from landscape.passes.convolution import Geometry, convolution
from landscape.passes.folding_plan import ARGUMENTS, COMPUTED, CONVOLUTIONS, Norm, Plan, affine
from landscape.passes.rectifier import rectified
from minima.zoo.anatomy.operations import GEOMETRY, OPERANDS, named

RELUS = (functional.relu, torch.relu, Tensor.relu)
"""those that may leave their input as it is"""
VIEWS = (Tensor.view, Tensor.view_as)
"""those that raise an error where numbers do not lie as they want them"""
QUESTIONS = frozenset(
    {
        *(getattr(Tensor, name).__get__ for name in ("shape", "dtype", "device", "ndim")),
        *(Tensor.size, Tensor.dim, Tensor.ndimension, Tensor.numel, Tensor.nelement, Tensor.is_floating_point),
        *(Tensor.__len__, Tensor.get_device),
    }
)
"""about a tensor, whose answers do not depend on its numbers"""


class AnotherPath(Exception):
    """A pass uses what a convolution makes otherwise than the plan says: `weight` is that of the convolution."""

    def __init__(self, weight: str) -> None:
        super().__init__(f"the network uses what is made with {weight} in several ways")
        self.weight = weight


class InPlace(Exception):
    """A pass writes to what was to share memory with another tensor, and did not: channels have to come first."""


@dataclass
class _Awaited:
    """What a convolution made with a norm already folded in, until that norm asks for it."""

    token: Tensor
    """what the network has in hand in the meantime: it has the shape, and no numbers"""
    made: Tensor | None
    """None: handed over"""
    norm: Norm
    weight: str


class Folding(TorchFunctionMode):
    """Computes one pass by a plan; `channels_last`: kernels lie in memory like images that do.

    Right whatever the pass does: if what a convolution made with a norm folded in goes anywhere but to this norm, once,
    an error is raised. `met`: the weights and norms of the pass in order, by name.

    Raises:
        AnotherPath: the pass does not use what a convolution makes as the plan says.
        InPlace: what lies with channels last could not be viewed and written to as the network does.
    """

    def __init__(self, plan: Plan, tensors: Mapping[str, Tensor], channels_last: bool) -> None:
        super().__init__()
        self._plan, self._tensors, self._channels_last = plan, tensors, channels_last
        self._names = {id(tensor): name for name, tensor in tensors.items()}
        self._uses: Counter[str] = Counter()
        self._awaited: dict[int, _Awaited] = {}
        self._copied: list[tuple[Tensor, int]] = []
        self._misused: str | None = None
        self.met: list[str] = []

    def check(self, outputs: Any) -> None:
        """The pass is over, these are its outputs: everything was used as the plan says."""
        if self._misused is not None:  # and the network caught the error
            raise AnotherPath(self._misused)
        for each in self._awaited.values():
            if each.made is not None or any(leaf is each.token for leaf in tree_leaves(outputs)):
                raise AnotherPath(each.weight)
        if any(tensor._version != version for tensor, version in self._copied):
            raise InPlace("the network writes to a view of its images")

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.batch_norm:
            return self._normalise(named(ARGUMENTS, args, kwargs))
        if self._awaited and func not in QUESTIONS:
            self._forbid_tokens((*args, *kwargs.values()))
        if func in CONVOLUTIONS:
            return self._convolve(func, named((*OPERANDS, *GEOMETRY), args, kwargs))
        if func in RELUS and torch.is_grad_enabled():
            given = named(("input", "inplace"), args, kwargs)
            return func(**given) if given.get("inplace") else rectified(given["input"])
        if self._channels_last and func in VIEWS:
            return self._view(func, args, kwargs)
        return func(*args, **kwargs)

    def _forbid_tokens(self, values: Iterable[Any]) -> None:
        for value in values:
            if id(value) in self._awaited:
                self._another_path(self._awaited[id(value)].weight)
            if isinstance(value, list | tuple):
                self._forbid_tokens(value)

    def _another_path(self, weight: str) -> NoReturn:
        self._misused = weight
        raise AnotherPath(weight)

    def _convolve(self, func: Callable[..., Any], given: dict[str, Any]) -> Tensor:
        axes, weight, bias = CONVOLUTIONS[func], given["weight"], given.get("bias")
        name = self._names.get(id(weight), COMPUTED)
        norm = self._plan.norm(name, self._uses[name])
        self._uses[name] += 1
        self.met.append(name)
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
        return made if norm is None else self._await(made, norm, name)

    def _await(self, made: Tensor, norm: Norm, weight: str) -> Tensor:
        with _not_traced():
            token = made.detach().new_empty(1).expand(made.shape)
        self._awaited[id(token)] = _Awaited(token, made, norm, weight)
        return token

    def _normalise(self, given: dict[str, Any]) -> Tensor:
        awaited, norm = self._awaited.get(id(given["input"])), Norm.met(self._names, given)
        self.met.append("" if norm is None else norm.mean)
        if awaited is not None:
            made, awaited.made = awaited.made, None
            if made is None or norm != awaited.norm:
                self._another_path(awaited.weight)
            return made
        if self._awaited:
            self._forbid_tokens(given.values())
        if norm is None or not torch.is_grad_enabled():
            return functional.batch_norm(**given)
        mean, variance = given["running_mean"], given["running_var"]
        scale, shift = affine(mean, variance, given.get("weight"), given.get("bias"), norm.eps)
        along = (-1, *[1] * (given["input"].ndim - 2))
        return given["input"] * scale.view(along) + shift.view(along)

    def _view(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A view, or one of a copy with channels first where channels that come last do not allow it."""
        try:
            return func(*args, **kwargs)
        except RuntimeError:
            own, *others = args
            copied = own.contiguous()
            made = func(copied, *others, **kwargs)
            self._copied += [(each, each._version) for each in (own, copied)]
            return made


def _not_traced() -> AbstractContextManager[Any]:
    """What is done inside the block is no part of a graph that is being made."""
    return disable_proxy_modes_tracing() if get_proxy_mode() is not None else nullcontext()
