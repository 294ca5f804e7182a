"""The values of units as the layers that read them see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.batches import batches
from minima.zoo.examples.evaluation import evaluating
from pruning.context.unit_weights import owner

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.unit_groups import UnitGroup
    from pruning.context.context import Context


def readings(context: Context) -> Iterator[dict[str, list[Tensor]]]:
    """For each mini-batch of the training part, in eval mode: of every group, for every layer that reads it, its units'
    values (n, positions, size), an entry of a unit counting as a position.

    Raises:
        BadInput: no layer that reads a group is called as a module, so that its input is not seen.
    """
    import torch

    inputs: dict[str, Tensor] = {}
    readers = {name: owner(context.model, name) for group in context.space.groups for name, _ in group.read}
    handles = [
        module.register_forward_pre_hook(lambda _module, given, name=name: inputs.update({name: given[0].detach()}))
        for name, module in readers.items()
    ]
    try:
        with evaluating(context.model), torch.no_grad():
            for x, _ in batches(context.x, context.y, context.batch_size):
                inputs.clear()
                context.task.outputs(context.model, x)
                yield {group.name: _of_group(group, inputs, readers) for group in context.space.groups}
    finally:
        for handle in handles:
            handle.remove()


def _of_group(group: UnitGroup, inputs: dict[str, Tensor], readers: dict[str, nn.Module]) -> list[Tensor]:
    seen = [_values(inputs[name], places, readers[name]) for (name, _), places in group.read.items() if name in inputs]
    if not seen:
        raise BadInput(
            f"{group.name}: what its units give is not seen, since no layer that reads them is called as a module. "
            "Type a criterion of weights or gradients: --criterion l1, or taylor"
        )
    return seen


def _values(given: Tensor, places: Any, reader: nn.Module) -> Tensor:
    """(n, positions, size) of an input (n, ..., features) or, of a convolution, (n, features, ...)."""
    import torch

    axis = 1 if isinstance(reader, torch.nn.modules.conv._ConvNd) else -1
    last = given.movedim(axis, -1).reshape(len(given), -1, given.shape[axis])
    return last[..., _features(given.shape[axis], places, reader)].transpose(2, 3).flatten(1, 2)


def _features(width: int, places: Any, reader: nn.Module) -> Tensor:
    """(size, entries) of a reader's input; columns of a convolution in groups stand for a feature of each of these."""
    import torch

    own = torch.as_tensor(places)
    groups = getattr(reader, "groups", 1)
    return torch.cat([own + group * (width // groups) for group in range(groups)], 1)


def mean_over_data(context: Context, term: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """(size,) in float64 by group: the mean of a term of each value over examples and positions, averaged over the
    layers that read the group."""
    total: dict[str, Any] = {group.name: 0.0 for group in context.space.groups}
    for batch in readings(context):
        for name, seen in batch.items():
            share = len(seen[0]) / len(context.x)
            total[name] += share * sum(term(values).mean(1).mean(0) for values in seen) / len(seen)
    return total
