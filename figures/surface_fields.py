"""What a file of `landscape.surface` holds, as its figures need it: maps over a grid, and what lies on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.measured import measured, stem
from store.command import BadInput

if TYPE_CHECKING:
    import h5py

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    """One quantity at the points of a grid of one or two axes."""

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
    """distance from the plane"""
    loss: Array
    """nat, of the networks themselves"""


@dataclass(frozen=True)
class Sheet:
    """A network's surface."""

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


def read_sheets(inputs: Sequence[Path], chosen: Sequence[str], room: int) -> list[Sheet]:
    """One for each checkpoint, all or those chosen; with several, only their losses.

    Raises:
        BadInput: there are none, or more maps than the page has room for.
    """
    sheets: list[Sheet] = []
    for path in inputs:
        with measured(path, "surface", "landscape") as (file, checkpoints):
            several = len(checkpoints) > 1
            for index, (name, summary) in enumerate(checkpoints):
                if not chosen or name in chosen:
                    sheets.append(_sheet(file["surface"], index if several else (), stem(name), summary))
    if len(sheets) > 1:
        sheets = [Sheet(**{**vars(sheet), "fields": sheet.fields[:1]}) for sheet in sheets]
    count = sum(len(sheet.fields) for sheet in sheets)
    if not 1 <= count <= room:
        raise BadInput(f"{count} maps of {len(sheets)} checkpoints, the figure has room for 1 to {room}: --checkpoint")
    return sheets


def _sheet(group: h5py.Group, own: Any, name: str, summary: dict[str, Any]) -> Sheet:
    axes = tuple(group[axis][()] for axis in ("alpha", "beta") if axis in group)
    flat = len(axes) == 2
    return Sheet(
        name,
        axes,
        tuple(_fields(group, own)),
        group["lines_loss"][own] if "lines_loss" in group else None,
        dict(_points(group, own)) if flat and "point_alpha" in group else {},
        _trajectory(group, own) if flat and "trajectory_alpha" in group else None,
        _caption(group, own, summary),
    )


def _fields(group: h5py.Group, own: Any) -> Iterator[Field]:
    yield Field("loss", "loss (nat)", group["loss"][own])
    if "loss_error" in group:
        yield Field("estimated error of the loss", "error (nat)", group["loss_error"][own])
    yield Field("accuracy", "accuracy", group["accuracy"][own])
    for key in sorted(key for key in group if key.startswith("map_")):
        title, units = key.removeprefix("map_").replace("_", " "), group[key].attrs["units"]
        yield Field(title, title if units == "1" else f"{title} ({units})", group[key][own])
    if "class_loss" in group:
        for label, values in zip(group["class"][()], group["class_loss"][own], strict=True):
            yield Field(f"class {label}", "loss (nat)", values)


def _points(group: h5py.Group, own: Any) -> Iterator[tuple[str, tuple[float, float]]]:
    for name, alpha, beta in zip(
        group["point"].asstr()[()], group["point_alpha"][own], group["point_beta"][own], strict=True
    ):
        yield stem(name), (float(alpha), float(beta))


def _trajectory(group: h5py.Group, own: Any) -> Trajectory:
    alpha, beta, residual, loss = (group[f"trajectory_{key}"][own] for key in ("alpha", "beta", "residual", "loss"))
    return Trajectory(group["moment"][()], alpha, beta, residual, loss)


def _caption(group: h5py.Group, own: Any, summary: dict[str, Any]) -> str:
    """Lengths and angle of the directions, the data, and how many points are not finite."""
    lengths = " and ".join(f"{norm:.3g}" for norm in group["direction_norm"][own])
    shares = " and ".join(f"{share:.3g}" for share in group["relative_direction_norm"][own])
    words = f"direction{'s' * (len(group['direction']) > 1)} {lengths} long ({shares} of the weights' norm)"
    if "direction_cosine" in group:
        words += f", at {np.degrees(np.arccos(np.clip(group['direction_cosine'][own], -1, 1))):.1f}°"
    words += f"; {summary['samples']:,} examples ({summary['split']})"
    loss = group["loss"][own]
    walls = int((~np.isfinite(loss)).sum())
    return words + (f"; hatched: the loss of {walls} of {loss.size} points is not finite" if walls else "")
