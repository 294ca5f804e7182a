"""Which examples of a subject have a class: not those whose label its loss leaves out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from minima.store.command import BadInput, note
from minima.zoo.examples.inputs import part_of
from minima.zoo.losses.own import OwnLoss

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.losses.loss import Loss
    from minima.zoo.subject.subject import Subject

OF_TORCH = -100
"""the label that torch's own losses leave out unless told another"""


def ignored_label(loss: Loss) -> int | None:
    """The label that a loss leaves out; of a function of the user's own, torch's; None where it counts them all.

    >>> from minima.zoo.losses.spec import parse_loss
    >>> ignored_label(parse_loss("cross-entropy:ignore_index=255")), ignored_label(parse_loss("mse"))
    (255, None)
    """
    found: int | None = getattr(loss, "ignore_index", OF_TORCH if isinstance(loss, OwnLoss) else None)
    return found


def counted_alone(subject: Subject) -> Subject:
    """The subject with those examples alone whose class label (N,) the loss counts, which is said.

    Raises:
        BadInput: there is none.
    """
    import torch

    y, ignored, data = subject.y, ignored_label(subject.task.loss), subject.dataset
    if ignored is None or not torch.is_tensor(y) or y.ndim != 1 or y.is_floating_point():
        return subject
    every = [own[own != ignored] for own in (data.y_train, data.y_test) if own is not None]
    counted = (y != ignored).nonzero().squeeze(1)
    if not len(counted):
        raise BadInput(f"{subject.name}: all labels are {ignored}, which the loss ignores: there is no class")
    if len(counted) < len(y):
        left = f"{len(y) - len(counted):,} of {len(y):,} examples are labelled {ignored}"
        note(f"{subject.name}: {left}, which the loss ignores: they are left out")
    split = (
        data.y_train if data.y_test is None or (subject.split == "train" and data.y_train is not None) else data.y_test
    )
    return replace(
        subject,
        x=part_of(subject.x, counted),
        y=y[counted],
        rows=subject.rows[counted.cpu()],
        available=int((split != ignored).sum()),
        classes=_classes(every),
    )


def _classes(labels: list[Tensor]) -> int | None:
    """How many classes labels (N,) of several splits name, counted from 0; None where one is below 0."""
    there = [own for own in labels if len(own)]
    return None if any(int(own.min()) < 0 for own in there) else max(int(own.max()) for own in there) + 1


def class_labels(subject: Subject) -> tuple[Tensor, int]:
    """The class of each example (N,) and how many there are; one for all, which is said, where there are no labels."""
    import torch

    if subject.classes is not None:
        return subject.y, subject.classes
    by_position = subject.y is not None and subject.y.ndim > 1 and not subject.y.is_floating_point()
    note(
        f"{subject.name}: there are no class labels (N,): the entropy is that of the states by themselves"
        + by_position * ", at all positions. --positions as-examples holds each position against its own label"
    )
    return torch.zeros(len(subject.x), dtype=torch.int64, device=subject.device), 1
