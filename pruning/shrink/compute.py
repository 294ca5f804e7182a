"""A masked network made physically smaller, computing the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minima.zoo.examples.inputs import Inputs, as_inputs, floats_to
from pruning.shrink.given import Bounds, check_choice, check_inputs, check_masks, checked_bounds
from pruning.shrink.layers import looking, without_layers
from pruning.shrink.merging import Merge
from pruning.shrink.preparing import prepare
from pruning.shrink.removal import Vanishing
from pruning.shrink.units import Stuck, without_units

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.shrink.shrunk import Shrunk


def shrink_network(  # noqa: PLR0913 (named, and all but two optional)
    model: nn.Module,
    x: Inputs,
    masks: Mapping[str, Tensor] | None = None,
    *,
    fold_batch_norm: bool = False,
    vanishing: Vanishing = "refuse",
    stuck: Stuck = "refuse",
    merge: Merge = "smaller",
    by_data: bool = False,
    within: Bounds | None = None,
    held_out: Inputs | None = None,
) -> Shrunk:
    """The network without the units that it does not need, exactly: any input gives the same outputs.

    Units without inputs are constants, which go into the bias of what reads them, or, where zeros of padding stand
    beside them, into the weights of one constant of their layer that stays; units that nobody reads go; to a fixed
    point. Two linear layers with only an `nn.Identity` between them become one. It is checked on the CPU, on real and
    random inputs, that entries of outputs differ by 1e-10 in float64 and 1e-5 in float32 at most, times max(1, |entry|,
    the median of their tensor); and in float64 for more examples, and for larger images or longer sequences where the
    network takes them. What depends on their size is no constant.

    Args:
        model: any module on the CPU, its removed weights being zero; it stays as it is.
        x: (N, ...) inputs; a tuple or dict of tensors for several.
        masks: bool, True = kept, by parameter name: made narrower too.
        fold_batch_norm: put batch norms that follow a layer into it.
        vanishing: "refuse", or "keep-one" of a layer all of whose units could go.
        stuck: what becomes of units whose number is written in the network's code: "refuse" or "keep".
        merge: which layers become one: "smaller": where neither parameters nor multiply-adds become more; "all": all
            that can exactly; "none".
        by_data: also remove units that are 0 on all of x, or on for all and linear combinations of others that are, and
            put out rectifiers that change nothing there: what a guess from these examples says; outputs on them stay,
            on others they may not.
        within: (low, high), two numbers, or two tensors (1, ...): likewise what interval bounds prove of all inputs
            between these (Serra et al. 2020).
        held_out: (N, ...) other inputs, on which the difference is measured, with `by_data` and `within`.

    Raises:
        BadInput: no unit can be followed, a layer would vanish, a size is written in the code, outputs differ; the
            network does not run, or takes values of activations out of torch.
    """
    import torch

    x, masks = as_inputs(x), dict(masks or {})
    check_inputs(x)
    check_masks(model, masks)
    for name, value, known in (("vanishing", vanishing, Vanishing), ("stuck", stuck, Stuck), ("merge", merge, Merge)):
        check_choice(name, value, known)
    look = looking(x, by_data, checked_bounds(x, by_data, within))
    prepared = prepare(model, floats_to(x if look else x[:1], torch.float64), fold_batch_norm, merge, look)
    if prepared is None:
        return without_units(model, x, masks, fold_batch_norm, vanishing, stuck)
    return without_layers(model, x, masks, prepared, vanishing, stuck, held_out)
