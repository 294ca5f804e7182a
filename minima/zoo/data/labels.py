"""Labels without meaning: `:labels=random` behind any --data spec shuffles those of the train split."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from minima.zoo.data.dataset import Dataset

MARK = ":labels="
RANDOM = "random"


def split_labels(spec: str) -> tuple[str, bool]:
    """A data spec without what it says of labels, and whether they are random.

    >>> split_labels("digits:classes=0-4:labels=random"), split_labels("digits")
    (('digits:classes=0-4', True), ('digits', False))
    """
    base, mark, text = spec.rpartition(MARK)
    if not mark:
        return spec, False
    if text != RANDOM:
        raise BadInput(f"{spec}: expected {MARK[1:]}{RANDOM} at the end, found {MARK[1:]}{text}")
    return base, True


def join_labels(base: str, random: bool) -> str:
    """The spec of this data with these labels.

    >>> join_labels("digits", True), join_labels("digits", False)
    ('digits:labels=random', 'digits')
    """
    return f"{base}{MARK}{RANDOM}" if random else base


def shuffle_labels(dataset: Dataset) -> Dataset:
    """The data set with the train split's labels dealt out anew (Zhang et al. 2017); images and the test split stay as
    they are.

    One permutation, the same at every call, so that each class keeps its number of examples.
    """
    import torch

    if dataset.y_train is None:
        raise BadInput("labels=random deals out the labels of a train split, and these data have none")
    generator = torch.Generator().manual_seed(derive(0, "labels"))
    order = torch.randperm(len(dataset.y_train), generator=generator)
    return replace(dataset, y_train=dataset.y_train[order])
