"""torch's multi-head attention with fewer heads than its width has room for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import handle_torch_function, has_torch_function

from minima.store.command import BadInput


class NarrowAttention(nn.MultiheadAttention):
    """nn.MultiheadAttention whose heads have a width of their own: num_heads * head_dim need not be embed_dim.

    torch's own takes the heads' width from embed_dim / num_heads, so that none can be removed from it.
    """

    @classmethod
    def take_over(cls, module: nn.Module, name: str) -> None:
        """Make one of torch's such a one, with the same tensors."""
        if not isinstance(module, nn.MultiheadAttention):
            raise BadInput(f"{name} is a {type(module).__name__}, expected torch's multi-head attention")
        if type(module) not in (nn.MultiheadAttention, cls) or module.bias_k is not None or module.add_zero_attn:
            raise BadInput(f"{name}: heads of an attention with code, biases or a zero of its own cannot be removed")
        module.__class__ = cls
        module._qkv_same_embed_dim = False  # keeps torch's fused layers, which know one width only, from reading it

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,  # noqa: ARG002 (a hint: the mask says it too)
    ) -> tuple[Tensor, Tensor | None]:
        """Attention as torch's module computes it, with heads of a width of their own."""
        turned = self.batch_first and query.dim() == 3
        inputs = [each.transpose(0, 1) if turned else each for each in (query, key, value)]
        separate = self.in_proj_weight is None
        out, weights = multi_head_attention_forward(
            *inputs,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=separate,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
        )
        return (out.transpose(0, 1) if turned else out), weights


def multi_head_attention_forward(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """torch's function of this name, where the heads' width is what the weights say."""
    if has_torch_function(args[:3]):
        returned: tuple[Tensor, Tensor | None] = handle_torch_function(
            multi_head_attention_forward, args[:3], *args, **kwargs
        )
        return returned
    query, key, value, _, heads, packed, bias, _, _, _, dropout, out, out_bias = args
    separate = [kwargs[f"{each}_proj_weight"] for each in "qkv"]
    weights = separate if kwargs["use_separate_proj_weight"] else packed.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    whole = query.dim() == 3
    sides = [side if whole else side.unsqueeze(1) for side in (query, key, value)]
    q, k, v = (
        _split(functional.linear(side, weight, own), heads)
        for side, weight, own in zip(sides, weights, biases, strict=True)
    )
    masks = kwargs["attn_mask"], kwargs["key_padding_mask"]
    dropout = dropout if kwargs["training"] else 0.0
    mixed, shares = _attended(q, k, v, masks, dropout, kwargs["need_weights"])
    found = functional.linear(mixed.permute(2, 0, 1, 3).flatten(2), out, out_bias)  # (T, N, heads * d)
    told = shares.mean(1) if shares is not None and kwargs["average_attn_weights"] else shares
    if whole:
        return found, told
    return found.squeeze(1), None if told is None else told.squeeze(0)


def _split(tensor: Tensor, heads: int) -> Tensor:
    """(T, N, heads * d) -> (N, heads, T, d)."""
    return tensor.unflatten(2, (heads, -1)).permute(1, 2, 0, 3)


def _attended(
    q: Tensor, k: Tensor, v: Tensor, masks: tuple[Tensor | None, Tensor | None], dropout: float, told: bool
) -> tuple[Tensor, Tensor | None]:
    """What heads (N, heads, T, d) see, and their shares where they are `told`.

    As in torch a row that may see nothing is zero where they are not, and not a number where they are.
    """
    scores = q.new_zeros(len(q), q.shape[1], q.shape[2], k.shape[2])
    if not told:
        mask = None if masks == (None, None) else _masked(scores, *masks)
        return functional.scaled_dot_product_attention(q, k, v, mask, dropout), None
    scores = _masked(q @ k.transpose(2, 3) / q.shape[3] ** 0.5, *masks)
    shares = functional.dropout(torch.softmax(scores, dim=3), dropout)
    return shares @ v, shares


def _masked(scores: Tensor, mask: Tensor | None, padding: Tensor | None) -> Tensor:
    """Scores (N, heads, T, S) with what may not be seen at minus infinity, or what is added to them."""
    if mask is not None:
        mask = mask.unflatten(0, (len(scores), -1)) if mask.dim() == 3 else mask
        if mask.dim() == 4 and mask.shape[1] != scores.shape[1]:
            raise BadInput("the attention's mask has a value for each head, of which some were removed")
        scores = scores.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    if padding is not None:
        padding = padding.view(-1, 1, 1, padding.shape[-1])
        scores = scores.masked_fill(padding, -torch.inf) if padding.dtype == torch.bool else scores + padding
    return scores
