"""The loss between two networks from Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from landscape.path.compute import walk
from landscape.path.curve import curves
from landscape.path.flags import Connection
from minima.store.command import BadInput
from minima.store.hdf5.results import in_memory
from minima.store.messages import listening
from minima.zoo.subject.handed import LossLike, subject_of

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.subject.handed import Masks


@dataclass(frozen=True)
class LossPath:
    """Loss and error at each `t` of a path from one network (t = 0) to another (t = 1), and the barrier between them.

    Losses, `barrier` and `rise_over_ends` are in the unit of the loss, errors are fractions of the examples.
    """

    t: tuple[float, ...]
    """from 0, the first network, to 1, the second"""
    losses: tuple[float, ...]
    """at each t; inf where it overflows"""
    errors: tuple[float, ...]
    """fraction of the examples classified wrong; NaN where the loss is not one of classes"""
    barrier: float
    """largest rise of the loss over the chord between the ends, at least 0 (Frankle et al. 2020)"""
    rise_over_ends: float
    """largest rise of the loss over the worse end"""
    distance: float
    """Euclidean distance of the weights"""
    notes: tuple[str, ...]
    """what was assumed of the networks and the data"""


def loss_path(  # noqa: PLR0913 (named, and all but three optional)
    model_a: nn.Module,
    model_b: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    points: int = 25,
    kind: str = "line",
    align: Literal["none", "weights"] = "none",
    batch_norm: Literal["interpolate", "re-estimate"] = "interpolate",
    masks: tuple[Masks, Masks] = (None, None),
    output: str | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    seed: int = 0,
) -> LossPath:
    """Loss and error on the way between two networks of one architecture, and how high the way rises.

    L((1 - t) w_a + t w_b) for evenly spaced t, and its barrier max_t L(t) - [(1 - t) L(0) + t L(1)] (Frankle et al.
    2020); or along a curve whose bend is trained on the data so that the loss stays low (Garipov et al. 2018).

    Args:
        model_a, model_b: the ends; they stay as they are.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads.
        loss: a name ("mse", "cross-entropy:label_smoothing=0.1"), a `Loss`, or a function of outputs and targets.
        points: values of t, both ends included.
        kind: "line", straight, or with a bend: "bezier", "piecewise".
        align: "weights" first puts the neurons of the second network into the order of the first's that they resemble
            (Ainsworth et al. 2023).
        batch_norm: running statistics on the way: interpolated, or estimated anew at each t.
        masks: of either end, as for `measure_sharpness`.
        output: which of several outputs.
        batch_size: examples at once; results depend on it by rounding only.
        epochs: of the bend's training (default 30).
        seed: `python -m landscape.path` finds the same numbers with it.

    Raises:
        BadInput: networks of different shape, or models, data and loss that do not fit together.

    >>> import torch
    >>> ends = [torch.nn.Linear(1, 1, bias=False) for _ in range(2)]
    >>> for end, weight in zip(ends, (-1.0, 1.0)):
    ...     _ = torch.nn.init.constant_(end.weight, weight)
    >>> found = loss_path(*ends, (torch.ones(2, 1), torch.zeros(2, 1)), "mse", points=3)
    >>> found.losses, found.barrier, found.distance
    ((1.0, 0.0, 1.0), 0.0, 2.0)
    """
    if kind not in curves():
        raise BadInput(f"kind {kind!r}: known are {', '.join(curves())}")
    own = {} if epochs is None else {"epochs": epochs}
    connection = Connection(points=points, kind=kind, align=align, batch_norm=batch_norm, **own)
    connection.check(epochs=1)
    with listening() as heard:
        first, second = (
            subject_of(model, data, loss, masks=mask, output=output, batch_size=batch_size, name=name)
            for model, mask, name in zip((model_a, model_b), masks, ("model_a", "model_b"), strict=True)
        )
        place = in_memory()
        found = walk(first, second, place, connection, seed)
        return LossPath(
            t=tuple(found["t"]),
            losses=tuple(found["losses"]),
            errors=tuple(found["errors"]),
            barrier=found["barrier"]["loss"],
            rise_over_ends=found["rise_over_ends"]["loss"],
            distance=found["distance"],
            notes=tuple(heard),
        )
