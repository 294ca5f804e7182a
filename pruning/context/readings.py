"""The values of units as the layers that read them see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.batches import batches
from minima.zoo.examples.evaluation import evaluating

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

Read = Mapping[str, list["Tensor"]]
"""by the weight of each layer that reads a group: the units' values (n, positions, size) in each of its applications,
n being the size of the first axis of what the layer is given"""


def readings(context: Context, batch_size: int | None = None) -> Iterator[Mapping[str, Read]]:
    """For each mini-batch of the training part, in eval mode: what reads each group, an entry of a unit counting as a
    position.

    Args:
        batch_size: the context's, if it is not given.
    """
    from minima.zoo.anatomy.tape import Recorder
    from pruning.context.applications import Applications

    seen = Applications(context.model, context.space.groups)
    recorder = Recorder(context.model, seen)
    with evaluating(context.model):
        for x, _ in batches(context.x, context.y, batch_size or context.batch_size):
            recorder.run(x, context.task.outputs)
            yield seen.found


def mean_over_data(context: Context, term: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """(size,) in float64 by group: the mean of a term of each value over examples and positions, averaged over the
    layers that read the group; a layer that is applied several times sees the values of all applications.

    Raises:
        BadInput: no layer is seen to read a group.
    """
    total: dict[str, dict[str, Any]] = {group.name: defaultdict(float) for group in context.space.groups}
    counts: dict[str, dict[str, int]] = {group.name: defaultdict(int) for group in context.space.groups}
    for batch in readings(context):
        for group, read in batch.items():
            for reader, values in ((reader, each) for reader, calls in read.items() for each in calls):
                total[group][reader] += term(values).sum((0, 1))
                counts[group][reader] += values.shape[0] * values.shape[1]
    return {
        group: sum(total[group][reader] / count for reader, count in seen(group, each).items()) / len(each)
        for group, each in counts.items()
    }


def means_of_examples(context: Context) -> dict[str, Tensor]:
    """(n, size) in float64 by group: each example's mean of the units' values over positions and applications, as the
    first layer that reads the group sees them.

    Examples go one by one where the first axis of what such a layer is given is not theirs.
    """
    import torch

    means: dict[str, list[Tensor]] = {group.name: [] for group in context.space.groups}
    apart = not all(_by_examples(context, count) for count in range(1, min(2, len(context.x)) + 1))
    for batch in readings(context, 1 if apart else None):
        for group, read in batch.items():
            calls = next(iter(seen(group, read).values()))
            examples = [each.flatten(0, 1)[None] for each in calls] if apart else calls
            means[group].append(torch.cat(examples, 1).double().mean(1))
    return {group: torch.cat(parts) for group, parts in means.items()}


def seen(group: str, read: Any) -> Any:
    """What reads a group, if anything is seen to.

    Raises:
        BadInput: nothing is.
    """
    if not read:
        raise BadInput(
            f"{group}: what its units give is not seen, since no convolution, linear layer or product of matrices is "
            "seen to read them. Type a criterion of weights or gradients: --criterion l1, or taylor"
        )
    return read


def _by_examples(context: Context, count: int) -> bool:
    """Whether the first axis of what layers are given is as long as there are examples, of which they get so many."""
    few = replace(context, x=context.x[:count], y=context.y[:count])
    read = next(readings(few, count))
    return all(len(each) == count for readers in read.values() for calls in readers.values() for each in calls)
