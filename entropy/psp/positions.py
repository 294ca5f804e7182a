"""`--positions as-examples`: which positions of a subject count, and for which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entropy.information.positions import measure_positions
from entropy.psp.labelled import ignored_label
from entropy.psp.request import request_of
from minima.store.command import BadInput, note

if TYPE_CHECKING:
    from torch import Tensor

    from entropy.information.layer import LayerEntropy
    from entropy.psp.flags import Counting
    from minima.zoo.examples.evaluation import Level
    from minima.zoo.subject.subject import Subject


def position_entropies_of(
    subject: Subject, counting: Counting, level: Level, grouped: bool, **room: Any
) -> tuple[list[LayerEntropy], dict[str, tuple[int, ...]], int]:
    """The layers that have the labels' positions, each of which is an example; shapes that hold no neurons; classes.

    `grouped`: whether other groups than the classes were asked for; `room`: `memory` and `results` of the `Request`.

    Raises:
        BadInput: there are no labels by position, or more was asked for than goes together with them.
    """
    asked = (counting.order > 1, counting.permutations > 0, counting.selectivity, counting.ties, grouped)
    names = ("--order", "--permutations", "--selectivity", "--ties", "--group-by")
    if any(asked):
        raise BadInput(f"--positions as-examples goes without {names[asked.index(True)]}")
    labels, counted = _position_labels(subject)
    layers, skipped, elsewhere = measure_positions(
        subject.model,
        subject.x,
        labels,
        counted,
        batch_size=subject.batch_size,
        available=subject.available,
        request=request_of(counting, 0, subject, level, **room),
    )
    left_out = int((~counted).sum())
    note(
        f"{subject.name}: each of {counted[0].numel():,} positions of an example is an example of its own class"
        + (f"; {left_out:,} that the loss ignores are left out" if left_out else "")
        + ". `corrected` counts them as independent, which they are not: it corrects too little"
    )
    for name, positions in elsewhere.items():
        note(f"{subject.name}: {name} has {positions:,} positions, not those of the labels: left out")
    return layers, skipped, int(labels[counted].max()) + 1


def _position_labels(subject: Subject) -> tuple[Tensor, Tensor]:
    """The class of each position (N, ...), and which the loss counts."""
    import torch

    y, ignored = subject.y, ignored_label(subject.task.loss)
    if y is None or y.is_floating_point() or y.ndim < 2:
        found = "none" if y is None else f"of shape {tuple(y.shape)} and type {y.dtype}"
        raise BadInput(
            f"--positions as-examples takes class indices (N, ...) for each position; the targets are {found}"
        )
    counted = torch.ones_like(y, dtype=torch.bool) if ignored is None else y != ignored
    if bool((y[counted] < 0).any()):
        raise BadInput(f"--positions as-examples: the label {int(y[counted].min())} is no class; classes begin at 0")
    return y, counted
