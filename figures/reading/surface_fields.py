"""What a file of `landscape.surface` holds, as its figures need it: maps over a grid, and what lies on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.reading.measurements import read_chosen, stem
from minima.store.command import BadInput

if TYPE_CHECKING:
    from minima.store.hdf5.view import Dataset, Group

Array = NDArray[np.float64]

AXES = ("alpha", "beta")
FIRST = ("loss", "loss_error", "accuracy")
"""what is drawn before all else"""
ASIDE = ("held_out", "level_loss", "level_accuracy", "loss_mean", "loss_spread", "loss_quantile")
"""arrays over the grid that are no maps, or that a line's band shows"""
CELLS = ("examples", "loss_error")
"""what jumps from point to point: no contours are drawn of it"""
CLASSES = ("class_loss", "class_accuracy")
"""left out where there is no room for all, unless they are asked for"""
TITLES = {
    "loss_error": "estimated error of the loss",
    "examples": "examples evaluated",
    "class_loss": "loss",
    "class_accuracy": "accuracy",
}


@dataclass(frozen=True)
class Field:
    """One quantity at the points of a grid of one or two axes."""

    name: str
    """as the file has it"""
    title: str
    label: str
    """with its unit"""
    values: Array


@dataclass(frozen=True)
class Trajectory:
    """Moments of a training, projected onto the plane."""

    moments: Array
    alpha: Array
    beta: Array
    residual: Array
    """distance from the plane / distance from the network in the centre"""
    loss: Array
    """nat, of the networks themselves"""


@dataclass(frozen=True)
class SurfaceMaps:
    """The surface of one network: its axes, the maps over them, and what lies on it."""

    name: str
    axes: tuple[Array, ...]
    fields: tuple[Field, ...]
    """the loss first"""
    lines: Array | None
    """(directions, alpha) nat: losses along further directions"""
    points: dict[str, tuple[float, float]]
    """other networks on or near the plane"""
    trajectory: Trajectory | None
    caption: str


def read_surface_maps(
    inputs: Sequence[Path], checkpoint: Sequence[str], maps: Sequence[str], room: int
) -> list[SurfaceMaps]:
    """The surfaces in a results file, one for each checkpoint, all or those chosen; with several, only their losses
    unless `maps` names others.

    Maps of the classes are left out where there is no room for all and `maps` does not name them.

    Raises:
        BadInput: there are none, or more maps than the page has room for.
    """
    surfaces = read_chosen(inputs, "surface", "landscape", checkpoint, _surface)
    shown = [replace(surface, fields=_wanted(surface.fields, maps, len(surfaces), room)) for surface in surfaces]
    count = sum(len(surface.fields) for surface in shown)
    if not 1 <= count <= room:
        there = ", ".join(dict.fromkeys(field.name for surface in surfaces for field in surface.fields))
        raise BadInput(
            f"{count} maps of {len(surfaces)} checkpoints, the figure has room for 1 to {room}.\n"
            f"Choose with --checkpoint and --maps; there are {there or 'none'}"
        )
    return shown


def _wanted(fields: tuple[Field, ...], maps: Sequence[str], surfaces: int, room: int) -> tuple[Field, ...]:
    names = set(maps) or ({"loss"} if surfaces > 1 else {field.name for field in fields})
    if not maps and len(fields) > room:
        names -= set(CLASSES)
    return tuple(field for field in fields if field.name in names)


def _surface(group: Group, own: Any, name: str, summary: dict[str, Any]) -> SurfaceMaps:
    axes = tuple(group[axis][()] for axis in AXES if axis in group)
    flat = len(axes) == 2
    return SurfaceMaps(
        name,
        axes,
        tuple(_fields(group, own)),
        group["loss"][own] if "line" in _dims(group["loss"]) else None,
        dict(_points(group, own)) if flat and "point_beta" in group else {},
        _trajectory(group, own) if flat and "trajectory_beta" in group else None,
        _caption(group, own, summary),
    )


def _fields(group: Group, own: Any) -> Iterator[Field]:
    """Every array over the grid; one with a leading axis (class, direction) is as many; of several lines the first."""
    grid = [axis for axis in AXES if axis in group]
    keys = [key for key in group if key not in ASIDE and _dims(group[key])[-len(grid) :] == grid]
    for key in sorted(keys, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST)):
        words, units, values = key.removeprefix("map_").replace("_", " "), group[key].attrs["units"], group[key][own]
        unit = "" if units == "1" else f" ({units})"
        title, label = TITLES.get(key, words), words + unit
        leading = "".join(_dims(group[key])[: -len(grid)])
        if leading in ("", "line"):
            yield Field(key, title + unit, label, values[0] if leading else values)
        else:
            for number, each in zip(group[leading][()], values, strict=True):
                yield Field(key, f"{title}, {leading} {number}{unit}", label, each)


def _dims(dataset: Dataset) -> list[str]:
    """The names of an array's dimensions but that of the checkpoints; none of a dimension scale."""
    names = [] if dataset.is_scale else [names[0].rpartition("/")[2] for names in dataset.dims]
    return [name for name in names if name != "checkpoint"]


def _points(group: Group, own: Any) -> Iterator[tuple[str, tuple[float, float]]]:
    for name, alpha, beta in zip(group["point"][()], group["point_alpha"][own], group["point_beta"][own], strict=True):
        yield stem(name), (float(alpha), float(beta))


def _trajectory(group: Group, own: Any) -> Trajectory:
    alpha, beta, residual, loss = (group[f"trajectory_{key}"][own] for key in ("alpha", "beta", "residual", "loss"))
    return Trajectory(group["moment"][()], alpha, beta, residual, loss)


def _caption(group: Group, own: Any, summary: dict[str, Any]) -> str:
    """Lengths and angle of the directions, the data, and how many points are not finite."""
    lengths, shares = _range(group["direction_norm"][own]), _range(group["relative_direction_norm"][own])
    words = f"direction{'s' * (len(group['direction']) > 1)} {lengths} long ({shares} of the weights' norm)"
    if "direction_cosine" in group:
        words += f", at {np.degrees(np.arccos(np.clip(group['direction_cosine'][own], -1, 1))):.1f}°"
    words += f"; {summary['samples']:,} examples ({summary['split']})"
    loss = group["loss"][own]
    walls = int((~np.isfinite(loss)).sum())
    return words + (f"; hatched: the loss of {walls} of {loss.size} points is not finite" if walls else "")


def _range(numbers: Array) -> str:
    """One or two of them, the smallest and largest of more; equal ones once.

    >>> _range(np.array([1.0, 2.0])), _range(np.array([1.0, 5.0, 3.0]))
    ('1 and 2', '1 to 5')
    """
    ends = numbers if len(numbers) < 3 else (numbers.min(), numbers.max())
    return (" to " if len(numbers) > 2 else " and ").join(dict.fromkeys(f"{number:.3g}" for number in ends))
