"""Operations that torch does not differentiate twice, or wrongly, written out in ones that it can: as exact, slower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from minima.zoo.examples.renormalising import shortened, vector_norm

MATMUL_FROM = 25
"""rows from which torch computes Euclidean distances by products of matrices, which it can differentiate twice"""
RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})
"""whose kernels of cuDNN have no second derivative"""


class WrittenOut(TorchFunctionMode):
    """Inside the block such operations are computed by others. It costs next to nothing where there are none."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in INSTEAD:
            return INSTEAD[func](*args, **kwargs)
        if getattr(func, "__name__", "") in RECURRENT:
            with torch.backends.cudnn.flags(enabled=False):
                return func(*args, **kwargs)
        return func(*args, **kwargs)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6.

    >>> hardsigmoid(torch.tensor([-4.0, 0.0, 1.5, 3.0])).tolist()
    [0.0, 0.5, 0.75, 1.0]
    """
    made = functional.hardtanh(input + 3, 0.0, 6.0) / 6
    return input.copy_(made) if inplace else made


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The p-norms of all differences, (..., P, M) and (..., R, M) -> (..., P, R); their slope is 0 where they are.

    >>> cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[5.0, 0.0]]
    """
    by_products = p == 2 and compute_mode != "donot_use_mm_for_euclid_dist"
    if by_products and ("necessary" not in compute_mode or max(x1.shape[-2], x2.shape[-2]) > MATMUL_FROM):
        return torch.cdist(x1, x2, p, compute_mode)
    return vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of rows.

    >>> pdist(torch.tensor([[0.0], [1.0], [3.0]])).tolist()
    [1.0, 3.0, 2.0]
    """
    first, second = torch.triu_indices(len(input), len(input), 1, device=input.device)
    return vector_norm(input[first] - input[second], p)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,  # noqa: ARG001 (it leaves a row out of the gradient)
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,  # noqa: ARG001 (it makes something else of the gradient)
    sparse: bool = False,  # noqa: ARG001
) -> Tensor:
    """Rows of the weight, with a dense gradient that is the derivative; longer ones than `max_norm` scaled down."""
    return functional.embedding(input, weight if max_norm is None else shortened(weight, max_norm, norm_type))


def embedding_bag(  # noqa: PLR0913, PLR0917 (torch's own arguments)
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,  # noqa: ARG001
    mode: str = "mean",
    sparse: bool = False,  # noqa: ARG001
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of rows of the weight: bags are the rows of the input, or begin at `offsets`; empty ones 0.

    >>> weight = torch.tensor([[1.0], [2.0], [4.0]])
    >>> embedding_bag(torch.tensor([0, 1, 2]), weight, torch.tensor([0, 1]), mode="mean").tolist()
    [[1.0], [3.0]]
    >>> embedding_bag(torch.tensor([[0, 2], [1, 1]]), weight, mode="max", padding_idx=2).tolist()
    [[1.0], [2.0]]
    """
    if offsets is None:
        starts = torch.arange(0, input.numel(), input.shape[1], device=input.device)
    else:
        starts = offsets[:-1] if include_last_offset else offsets
    indices = input.reshape(-1)
    bag = torch.searchsorted(starts, torch.arange(len(indices), device=starts.device).to(starts.dtype), right=True) - 1
    rows = functional.embedding(indices, weight if max_norm is None else shortened(weight, max_norm, norm_type))
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    if padding_idx is not None:
        counts = indices != padding_idx % len(weight)
        rows, bag = rows[counts], bag[counts]
    if mode == "max":
        each = [rows[bag == k] for k in range(len(starts))]
        return torch.stack([own.max(0).values if len(own) else rows.new_zeros(rows.shape[1]) for own in each])
    summed = rows.new_zeros(len(starts), rows.shape[1]).index_add(0, bag, rows)
    if mode == "sum":
        return summed
    return summed / torch.bincount(bag, minlength=len(starts)).clamp_min(1)[:, None]


def weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """g v / |v|, the norm over all axes but `dim`; torch's own has a second derivative that is wrong.

    >>> weight_norm(torch.tensor([[3.0, 4.0]]), torch.tensor([[10.0]])).tolist()
    [[6.0, 8.0]]
    """
    return v * (g / torch.norm_except_dim(v, 2, dim))


INSTEAD: dict[Callable[..., Any], Callable[..., Tensor]] = {
    functional.hardsigmoid: hardsigmoid,
    torch._C._nn.hardsigmoid: hardsigmoid,
    torch.cdist: cdist,
    torch.pdist: pdist,
    functional.embedding: embedding,
    functional.embedding_bag: embedding_bag,
    torch._weight_norm: weight_norm,
}
"""what is computed in place of an operation"""
