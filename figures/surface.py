"""Any result of `landscape.surface`: maps with what lies on them, or lines with their spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing.captions import caption_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, plain_ticks, save, styled
from figures.drawing.surface_map import bar_ticks, draw_map, levels, mark_networks
from figures.reading.surface_fields import CELLS, Field, SurfaceMaps, read_surface_maps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.reading.surface_fields import Trajectory

ROOM = 20
"""maps that fit the page"""
CHARACTERS = 120
"""of the caption's lines"""
CURVE, SPREAD, ASIDE = "#000000", "#0072B2", "#D55E00"
READS = Reads(measure="surface", arrays=("loss",), room=6, alike=("directions", "shape"))


@dataclass(frozen=True, kw_only=True)
class Showing(Choosing):
    """Flags of this figure."""

    maps: tuple[str, ...] = ()
    """arrays of the file to show, such as loss class_loss (default: all that fit; of several checkpoints the loss)"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = (), maps: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.surface` results: every map of one checkpoint, or the losses of several on one scale."""
    surfaces = read_surface_maps(inputs, checkpoint, maps, ROOM)
    drawn = [(surface, field) for surface in surfaces for field in surface.fields]
    trajectories = [surface.trajectory for surface in surfaces if surface.trajectory is not None]
    count = len(drawn) + len(trajectories)
    columns = min(count, 3 if count <= 9 else 4)
    rows = math.ceil(count / columns)
    with styled():
        import matplotlib.pyplot as plt

        height = 0.7 + WIDTH / columns * (0.85 if columns > 1 else 0.6) * rows
        figure, panels = plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False, layout="compressed")
        for axes, (surface, field) in zip(panels.flat, drawn, strict=False):
            _panel(axes, surface, field, [other for _, other in drawn])
            axes.set_title(field.title if len(surfaces) == 1 else f"{surface.name}: {field.title}")
        for axes, trajectory in zip(panels.flat[len(drawn) :], trajectories, strict=False):
            _residual(axes, trajectory)
        for axes in panels[:, 1:].flat:
            axes.set_ylabel("" if axes.get_ylabel() == "β" else axes.get_ylabel())
        for axes in panels.flat[count:]:
            axes.set_axis_off()
        caption_below(figure, _caption(surfaces), 7.5)
        return save(figure, out)


def _panel(axes: Axes, surface: SurfaceMaps, field: Field, others: Sequence[Field]) -> None:
    """Maps of the same kind share a scale."""
    if len(surface.axes) == 1:
        _line(axes, surface, field)
        return
    alike = [other.values for other in others if other.name == field.name]
    cells = field.name in CELLS
    shared = levels(alike, logarithmic="accuracy" not in field.name and not cells)
    filled = draw_map(axes, surface.axes, field.values, shared, cells)
    bar_ticks(axes.figure.colorbar(filled, ax=axes, shrink=0.8), shared)
    mark_networks(axes, surface.points, surface.trajectory)


def _line(axes: Axes, surface: SurfaceMaps, field: Field) -> None:
    """Along one direction; of the loss also its estimated error, and quartiles and extremes over all directions."""
    (alpha,) = surface.axes
    curve = np.where(np.isfinite(field.values), field.values, np.nan)
    if field.name == "loss":
        error = [other.values for other in surface.fields if other.name == "loss_error" and other.values.any()]
        if surface.lines is not None:
            lines = np.where(np.isfinite(surface.lines), surface.lines, np.inf)
            for inner, shade in ((0, 0.2), (25, 0.35)):
                low, high = np.percentile(lines, (inner, 100 - inner), axis=0, method="nearest")
                words = "half of" if inner else "all"
                label = f"{words} {len(lines)} directions"
                axes.fill_between(alpha, low, high, color=SPREAD, alpha=shade, linewidth=0, label=label)
        for each in error:
            axes.fill_between(alpha, curve - each, curve + each, color=ASIDE, alpha=0.4, label="± estimated error")
        if np.nanmin(curve, initial=np.inf) > 0 and levels([curve])[1]:
            axes.set_yscale("log")
            plain_ticks(axes.yaxis)
    axes.plot(alpha, curve, color=CURVE, marker="." if len(alpha) < 60 else None, label="first direction")
    low, high = axes.get_ylim()
    for wall in alpha[~np.isfinite(field.values)]:
        half = (alpha[1] - alpha[0]) / 2
        axes.axvspan(wall - half, wall + half, facecolor="none", edgecolor="#999999", hatch="////", linewidth=0)
    axes.axvline(0, color="#999999", linewidth=0.8, linestyle=":")
    axes.set(xlabel="α", ylabel=field.label, ylim=(low, high))
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.1), ncols=2, fontsize=6.5)


def _residual(axes: Axes, trajectory: Trajectory) -> None:
    """How far from the plane each moment of the training is, and the loss there."""
    from matplotlib.ticker import MaxNLocator

    axes.plot(trajectory.moments, trajectory.residual, "o-", color=CURVE)
    axes.set(xlabel="moment of the training", ylabel="distance from the plane", ylim=(0, None))
    axes.set_title("training, off the plane")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    beside: Any = axes.twinx()
    beside.plot(trajectory.moments, trajectory.loss, color=ASIDE, linestyle="--")
    beside.spines["right"].set_visible(True)
    beside.set_ylabel("loss of the moment", color=ASIDE)


def _caption(surfaces: Sequence[SurfaceMaps]) -> str:
    lines = [f"{surface.name}: {surface.caption}" for surface in surfaces]
    marks = [
        "cross: the network" * any(len(surface.axes) == 2 for surface in surfaces),
        "line: a training; its distance from the plane is in units of that from the network"
        * any(surface.trajectory is not None for surface in surfaces),
        "squares: other networks" * any(bool(surface.points) for surface in surfaces),
    ]
    said = "; ".join(mark for mark in marks if mark)
    return "\n".join(line for words in (*lines, said) for line in wrap(words, CHARACTERS))


if __name__ == "__main__":
    command(draw, "surface", __doc__ or "", Showing)
