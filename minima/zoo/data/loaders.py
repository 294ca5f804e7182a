"""What a `DataLoader` stands for: its data set, which of its items, and how several become a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    default_collate,
)

from minima.store.command import BadInput


def unwrapped(made: Any, split: str) -> tuple[Any, Tensor, Callable[[list[Any]], Any]]:
    """The data set, the indices (N,) of its examples in ascending order, and its collate.

    The order in which a loader hands them out, and its batch size, play no part.

    Raises:
        BadInput: a stream, no length, no items, or a sampler that is not known to take each item once.
    """
    dataset: Any = made.dataset if isinstance(made, DataLoader) else made
    called = f"--data: the {split} data set {type(dataset).__name__}"
    if isinstance(dataset, IterableDataset):
        raise BadInput(
            f"{called} is a stream (IterableDataset), whose items have no index, so that a loss over all of them is "
            "not defined.\nReturn a Dataset with __getitem__ and __len__, or arrays"
        )
    try:
        count = len(dataset)
    except (TypeError, NotImplementedError, AttributeError) as error:
        raise BadInput(f"{called} has no length. Give it __len__, or return arrays") from error
    if not count:
        raise BadInput(f"{called} is empty")
    if not isinstance(made, DataLoader):
        return dataset, torch.arange(count), default_collate
    if made.batch_size is None and type(made.batch_sampler) is not BatchSampler:
        what = "hands out ready-made batches" if made.batch_sampler is None else "has a batch sampler of its own"
        raise BadInput(f"{called}: its DataLoader {what}. Return the data set itself")
    collate: Callable[[list[Any]], Any] = made.collate_fn
    return dataset, _rows(made.batch_sampler.sampler, count, called), collate  # type: ignore[union-attr]


def _rows(sampler: Any, count: int, called: str) -> Tensor:
    """Which items a sampler hands out, each once."""
    if type(sampler) is SequentialSampler:
        return torch.arange(count)
    if type(sampler) is RandomSampler and not sampler.replacement and sampler.num_samples == count:
        return torch.arange(count)
    if type(sampler) is SubsetRandomSampler:
        return torch.as_tensor(sorted(set(map(int, sampler.indices))))
    raise BadInput(
        f"{called}: its DataLoader draws by a {type(sampler).__name__}, of which it cannot be told that it takes each "
        "item once.\nReturn the data set itself, or torch.utils.data.Subset(dataset, indices)"
    )
