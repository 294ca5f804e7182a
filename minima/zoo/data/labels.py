"""Labels without meaning: `:labels=random` behind any --data spec shuffles those of the train split, or of a share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from minima.zoo.data.dataset import Dataset

MARK = ":labels="
RANDOM = "random"


def split_labels(spec: str) -> tuple[str, float]:
    """A data spec without what it says of labels, and the share of them that is random.

    >>> [split_labels(spec) for spec in ("digits:classes=0-4:labels=random", "digits:labels=random:0.2", "digits")]
    [('digits:classes=0-4', 1.0), ('digits', 0.2), ('digits', 0.0)]
    """
    base, mark, text = spec.rpartition(MARK)
    if not mark:
        return spec, 0.0
    word, _, share = text.partition(":")
    found = _share(share) if share else 1.0
    if word != RANDOM or not found or text.endswith(":"):
        raise BadInput(
            f"{spec}: expected {MARK[1:]}{RANDOM} at the end, or {MARK[1:]}{RANDOM}:0.2 for a share of them, "
            f"found {MARK[1:]}{text}"
        )
    return base, found


def join_labels(base: str, share: float) -> str:
    """The spec of this data with this share of the labels random.

    >>> join_labels("digits", 1.0), join_labels("digits", 0.2), join_labels("digits", 0.0)
    ('digits:labels=random', 'digits:labels=random:0.2', 'digits')
    """
    if not share:
        return base
    return f"{base}{MARK}{RANDOM}" + (f":{share!r}" if share < 1 else "")


def shuffle_labels(dataset: Dataset, share: float = 1.0) -> Dataset:
    """The data set with labels of the train split dealt out anew (Zhang et al. 2017); images and the test split stay as
    they are.

    One permutation, the same at every call, so that each class keeps its number of examples.

    Args:
        share: of the examples, drawn at random, that give their labels and get one of those that were given. With 10
            classes of one size one in ten of them gets its own label back: 0.2 makes 18 % of the labels wrong.
    """
    import torch

    if dataset.y_train is None:
        raise BadInput("labels=random deals out the labels of a train split, and these data have none")
    labels = dataset.y_train.clone()
    generator = torch.Generator().manual_seed(derive(0, "labels"))
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    labels[chosen.sort().values] = dataset.y_train[chosen]
    return replace(dataset, y_train=labels)


def _share(text: str) -> float:
    """0 for what is no share between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 < value < 1 else 0.0
