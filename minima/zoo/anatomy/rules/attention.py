"""What operations that are a whole attention say of units: the heads."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from minima.zoo.anatomy.rules.follower import Follower, Numbers
from minima.zoo.anatomy.rules.queries import copies_of_heads, look_at
from minima.zoo.anatomy.union_find import FIXED

MULTI_HEAD = (
    *("query", "key", "value", "embed_dim_to_check", "num_heads", "in_proj_weight", "in_proj_bias", "bias_k", "bias_v"),
    *("add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias", "training", "key_padding_mask"),
    *("need_weights", "attn_mask", "use_separate_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"),
)
"""arguments of torch.nn.functional.multi_head_attention_forward, in order"""


def scaled_dot_product(call: Follower) -> Numbers | None:
    """The units of attention: all of a head, query, key and value, is one; with grouped queries, those that share a key
    are beside it.
    """
    query, key, value = call.given("query", "key", "value").values()
    q, k, v = call.of(query), call.of(key), call.of(value)
    if q is None or k is None or v is None or q.ndim < 3:
        return None
    heads = call.gather(q, [-2, -1])
    for other, tensor in ((k, key), (v, value)):
        own, copies = call.gather(other, [-2, -1]), copies_of_heads(call, tensor)
        times, rest = divmod(heads.shape[-3], own.shape[-3])
        if rest:
            return None
        if times > 1:
            ranks = call.classes.new(times).repeat(own.shape[-3]).view(-1, 1, 1)
            own, copies = own.repeat_interleave(times, -3), ranks
        look_at(call, heads, own, copies)
    call.demands.heads.append(heads)
    call.demands.products.append((heads, query.shape[-2] * key.shape[-2] * (query.shape[-1] + value.shape[-1])))
    return [heads.expand(call.made[0].shape)]


def multi_head(call: Follower) -> Numbers | None:
    """torch.nn.MultiheadAttention: rows of three projections and the columns of the last one are heads."""
    given = call.given(*MULTI_HEAD)
    if given["bias_k"] is not None or given["bias_v"] is not None or given["add_zero_attn"]:
        return None
    inside = [call.units(given[name], -1) for name in ("query", "key", "value")]
    out, bias = call.parameter(given["out_proj_weight"]), call.parameter(given["out_proj_bias"])
    if out is None or not _projected(call, given, inside):
        return None
    heads = call.gather(out[1].view(given["num_heads"], -1), [1])
    call.demands.reads.add((id(given["out_proj_weight"]), 1))
    call.demands.heads.append(heads)
    _count(call, given, len(out[1]) // given["num_heads"])
    if bias is not None:
        call.classes.join(out[0], bias[0], call.where)
    found = call.spread(out[0], -1)
    return None if found is None else found + [torch.full(each.shape, FIXED) for each in call.made[1:]]


def _projected(call: Follower, given: dict[str, Any], inside: list[Tensor | None]) -> bool:
    """Units in, heads out of the projections of query, key and value."""
    out = call.parameter(given["out_proj_weight"])
    assert out is not None
    if given["use_separate_proj_weight"]:
        tensors = [given[f"{each}_proj_weight"] for each in "qkv"]
        weights = [weight for weight in map(call.parameter, tensors) if weight is not None]
        if len(weights) < 3 or not all(call.read(*each, 1) for each in zip(tensors, inside, strict=True)):
            return False
        rows = torch.cat([weight[0] for weight in weights])
    else:
        packed = call.parameter(given["in_proj_weight"])
        if packed is None or not all(call.read(given["in_proj_weight"], units, 1) for units in inside):
            return False
        rows = packed[0]
    for each in rows.view(3, -1):
        call.classes.join(each, out[1], call.where)
    bias = call.parameter(given["in_proj_bias"])
    if bias is not None:
        call.classes.join(rows, bias[0], call.where)
    return True


def _count(call: Follower, given: dict[str, Any], width: int) -> None:
    """Multiply-adds of the projections and, for each head, of its two products."""
    sides = [given[name].numel() // given[name].shape[-1] for name in ("query", "key", "value")]
    if given["use_separate_proj_weight"]:
        for name, positions in zip("qkv", sides, strict=True):
            call.apply(given[f"{name}_proj_weight"], positions)
    else:
        call.apply(given["in_proj_weight"], Fraction(sum(sides), 3))
    call.apply(given["out_proj_weight"], sides[0])
    call.demands.products.append((call.demands.heads[-1], 2 * sides[0] * sides[1] * width))


ATTENTION: dict[str, Callable[[Follower], Numbers | None]] = {
    "scaled_dot_product_attention": scaled_dot_product,
    "multi_head_attention_forward": multi_head,
}
"""by operation"""
