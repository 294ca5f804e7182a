"""Loss and error along an arc."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from landscape.objective.batch_norm import BatchNorm, reestimate
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.subject.handed import copied

if TYPE_CHECKING:
    from landscape.path.arc import Arc
    from minima.zoo.subject.subject import Subject

Level = tuple[float, float]
"""the loss (inf where it overflows), and the fraction of the examples that is classified wrong, NaN where the loss has
another score beside it"""


def levels(arc: Arc, subject: Subject, t: Sequence[float], *, reestimated: bool = False) -> Iterator[Level]:
    """Loss and error at each t of an arc, over the subject's examples, which its ranks share.

    The running statistics of batch norm are the arc's, or `reestimated` from the examples at each t, the ends too.
    """
    model = copied(subject.model).eval()
    for at in t:
        model.load_state_dict(arc.at(at))
        if reestimated:
            reestimate(model, subject.x, subject.batch_size, subject.ranks)
        found = evaluate(model, subject.x, subject.y, subject.batch_size, subject.ranks, subject.task)
        yield found.loss if math.isfinite(found.loss) else math.inf, 1 - found.accuracy


def positions(points: int) -> list[float]:
    """Evenly spaced t from 0 to 1.

    >>> positions(3)
    [0.0, 0.5, 1.0]
    """
    return [index / (points - 1) for index in range(points)]


def has_batch_norm(subject: Subject) -> bool:
    """Whether a subject's network has running statistics of batch norm."""
    return any(isinstance(module, BatchNorm) for module in subject.model.modules())
