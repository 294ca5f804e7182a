"""A loss surface from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from landscape.objective.handed import Position, Where, region_of, subject_at
from landscape.surface.compute import draw
from landscape.surface.flags import Drawing, check_drawing
from landscape.surface.grid import AXES, parse_grid
from landscape.surface.landmark import Snapshot, snapshot
from landscape.surface.preparing import prepare
from minima.store.command import BadInput
from minima.store.hdf5.results import in_memory
from minima.store.messages import listening
from minima.zoo.settings import chosen
from minima.zoo.subject.handed import LossLike, subject_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from landscape.spectrum.krylov import Floats
    from landscape.surface.preparing import Prepared
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject


@dataclass(frozen=True)
class LossSurface(Position):
    """The loss at w + alpha d_1 (+ beta d_2) over a grid of one or two axes, and where the network sits.

    `losses` has the shape of the grid, `coordinates` alpha (and beta) along its axes, `directions` d_1 (and d_2).
    """

    coordinates: tuple[Floats, ...]
    """(points,) along each of the one or two axes; 0 is the network"""
    losses: Floats
    """in the shape of the grid (of lines: (lines, points)); inf where it overflows"""
    scores: Floats
    """accuracy, or whatever score goes with the loss; NaN where there is none"""
    score_name: str | None
    directions: Tensor
    """(k, d) displacements per unit of each axis, in the coordinates of the weights that may move"""
    arrays: Mapping[str, Floats]
    """everything else that the command writes: maps by name, estimated errors, where other networks lie, ..."""


def loss_surface(  # noqa: PLR0913 (named, and all but two optional)
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    grid: int | str = 21,
    directions: str = "random",
    extent: float = 1.0,
    through: Sequence[nn.Module] = (),
    trajectory: str | Path | None = None,
    seed: int = 0,
    drawing: Mapping[str, Any] | None = None,
    **where: Unpack[Where],
) -> LossSurface:
    """The loss on a line or plane through a network.

    L(w + alpha d_1 + beta d_2) over a grid, exactly, unless `drawing` allows an error. Random directions are Gaussian,
    each filter with the norm of the weights' own (Li et al. 2018); "eigen" are unit eigenvectors of the largest
    curvatures; "checkpoints" goes through other networks (Garipov et al. 2018); "trajectory" is the plane closest to a
    training's course.

    Args:
        model: any module; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads.
        loss: a name ("mse", "cross-entropy:label_smoothing=0.1"), a `Loss`, or a function of outputs and targets.
        grid: N for N x N points, "NxM", or "Nx1" for a line.
        extent: how far to go on both sides, in units of the directions.
        through: networks of the same shape, two of them, or one for a line; makes `directions` "checkpoints".
        trajectory: a file of `minima.Recorder` or `minima.train --keep`, whose moments are drawn on the surface.
        seed: `python -m landscape.surface` finds the same numbers with it.
        drawing: other fields of `landscape.surface.flags.Drawing`: `normalise`, `error`, `lines`, `maps`, ...
        where: masks, subspace, parameters, output, ...: see `landscape.objective.handed.Where`.

    Returns:
        the loss and the score at each point, with the directions.

    Raises:
        BadInput: a grid that is none, networks that do not fit, or model, data and loss that do not.

    >>> import torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> found = loss_surface(model, (torch.ones(2, 1), torch.zeros(2, 1)), "mse", grid="5x1")
    >>> sorted(found.losses.round(4).tolist())  # (1 + alpha)^2 / 1, whichever way the direction points
    [0.0, 0.25, 1.0, 2.25, 4.0]
    """
    kind = "checkpoints" if through else directions
    named: dict[str, Any] = {
        "grid": str(grid),
        "directions": kind,
        "extent": extent,
        "trajectory": None if trajectory is None else Path(trajectory),
        "through": tuple(Path(f"network {number}") for number in range(1, len(through) + 1)) or None,
    }
    wanted = chosen(Drawing(**named, **_others(drawing or {}, named)))
    check_drawing(wanted)
    axes = len(parse_grid(wanted.grid, wanted.extent).shape)
    for name in ("parameters", "moving"):
        if where.get(name) is not None and (through or trajectory):
            raise BadInput(f"{name} holds weights that differ between networks: leave it out with other networks")
    if through and len(through) != axes:
        raise BadInput(f"through holds {len(through)} networks: a plane takes two, a line (grid='Nx1') one")
    return _drawn(model, data, loss, wanted, through, seed, where)


def _others(drawing: Mapping[str, Any], named: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of `Drawing` that have no keyword of their own."""
    known = [field.name for field in fields(Drawing) if field.name not in named]
    if unknown := [name for name in drawing if name not in known]:
        own = " (a keyword of its own)" if unknown[0] in named else ""
        raise BadInput(f"drawing: there is no {unknown[0]}{own}. There are {', '.join(known)}")
    return drawing


def _drawn(
    model: nn.Module,
    data: Any,
    loss: LossLike,
    wanted: Drawing,
    through: Sequence[nn.Module],
    seed: int,
    where: Where,
) -> LossSurface:
    axes = len(parse_grid(wanted.grid, wanted.extent).shape)
    with listening() as heard:
        subject, place = subject_at(model, data, loss, where), in_memory()
        others = [_snapshot(other, subject, number) for number, other in enumerate(through, 1)]
        own: dict[str, Any] = {"axes": axes, "seed": seed, "others": others, "moving": where.get("moving")}
        found = prepare(subject, region_of(where), wanted, **own)
        draw(found, place, wanted, subject.name, where.get("batch_size"))
        return _result(found, place, heard)


def _snapshot(model: nn.Module, centre: Subject, number: int) -> Snapshot:
    """Another network, as what the plane goes through."""
    name = f"network {number}"
    return snapshot(
        subject_of(model, (centre.x, centre.y), centre.task.loss, output=centre.task.output, name=name), centre
    )


def _result(found: Prepared, place: Place, heard: Sequence[str]) -> LossSurface:
    arrays = place.arrays("surface")
    score = found.function.objective.score.name
    scores = arrays.pop("accuracy" if score == "accuracy" else "score")
    own = {key: found.where[key] for key in ("loss", "gradient_norm", "weight_norm", "dimension")}
    return LossSurface(
        **own,
        notes=tuple(heard),
        coordinates=tuple(arrays.pop(axis) for axis in AXES if axis in arrays),
        losses=arrays.pop("loss"),
        scores=scores,
        score_name=score,
        directions=found.function.plane.rows,
        arrays=arrays,
    )
