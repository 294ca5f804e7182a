"""A floor under a cut: weights that lie on one path from the input to the output stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minima.store.command import BadInput, note
from minima.zoo.anatomy.paths.reachability import carries, reach

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


def with_path(context: Context, masks: Tensors, scores: Mapping[str, Tensor]) -> Tensors:
    """The masks, or where they cut the network, as many weights among which are those of one path.

    The path is the one of `a_path` among the weights that were left before the cut. For each of its weights that the
    cut removed, the kept weight of the lowest score that is not on it goes.

    Raises:
        BadInput: fewer weights are to be kept than the path has.
    """
    import torch

    shape = tuple(context.x.shape[1:])
    if carries(context.model, shape, masks):
        return masks
    path = a_path(context.model, shape, context.masks, context.weights)
    kept, needed = sum(int(mask.sum()) for mask in masks.values()), sum(int(mask.sum()) for mask in path.values())
    if needed > kept:
        raise BadInput(
            f"--keep-path: a path takes {needed} weights, but only {kept} are to be kept; ask for less sparsity"
        )
    spare = {name: masks[name] & ~path[name] for name in masks}
    missing = sum(int((path[name] & ~masks[name]).sum()) for name in masks)
    note(f"--keep-path: {missing} weights of one path stay in the place of others, without which the network were cut")
    flat = torch.cat([scores[name].double().masked_fill(~spare[name], float("inf")).flatten() for name in masks])
    order = flat.argsort(stable=True)[:missing]
    gone = torch.zeros_like(flat, dtype=torch.bool).index_fill_(0, order, True)
    parts = gone.split([mask.numel() for mask in masks.values()])
    removed = dict(zip(masks, parts, strict=True))
    return {name: (mask | path[name]) & ~removed[name].view(mask.shape) for name, mask in masks.items()}


def a_path(
    model: nn.Module, shape: tuple[int, ...], masks: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> Tensors:
    """Masks of the weights of one path from the input to the output: no layer's where shortcuts lead past it.

    Layer after layer, in the network's order: a layer without which a path remains is left empty, of any other the
    largest |w| that lies on a path stays alone.

    Raises:
        BadInput: no path is left, or an operation through which paths cannot be followed.
    """
    import torch

    path = {name: mask.clone() for name, mask in masks.items()}
    if not carries(model, shape, path):
        raise BadInput("--keep-path: no path leads from the input to the output even before the cut")
    for name, mask in masks.items():
        alone = torch.zeros_like(mask)
        if not carries(model, shape, path | {name: alone}):
            (layer,) = (layer for layer in reach(model, shape, path) if layer.name == name)
            sizes = weights[name].detach().abs().masked_fill(~layer.reachable.to(mask.device), -1)
            alone.view(-1)[sizes.argmax()] = True
        path[name] = alone
    return path


def bottlenecks(model: nn.Module, shape: tuple[int, ...], masks: Mapping[str, Tensor]) -> list[str]:
    """Names of the weights past which no shortcut leads: emptied, each alone would cut the network.

    Raises:
        BadInput: an operation through which paths cannot be followed.
    """
    import torch

    return [name for name, mask in masks.items() if not carries(model, shape, {**masks, name: torch.zeros_like(mask)})]
