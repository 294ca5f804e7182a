"""Basins of a loss surface on its map, and the tree of how they merge: of `landscape.topology`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import caption_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, plain_ticks, save, styled
from figures.drawing.surface_map import WIDE, levels
from figures.reading.measurements import read_chosen
from figures.reading.surface_fields import AXES
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 4
"""surfaces that fit the page"""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""of the deepest basins; all others are grey"""
OTHERS, WALL = "#BBBBBB", "#FFFFFF"

Array = NDArray[Any]
READS = Reads(measure="topology", arrays=("basin_of_point",), room=BESIDE)


@dataclass(frozen=True)
class Tree:
    """A surface and its basins, the deepest first; numbers begin with 1, 0 is a wall or nothing."""

    name: str
    axes: tuple[Array, ...]
    loss: Array
    basin_of_point: Array
    minima: Array
    """(basins, axes) coordinates"""
    born: Array
    """(basins,) nat: loss at the minimum"""
    merged: Array
    """(basins,) nat: loss at the saddle; NaN: it never merges"""
    parent: Array
    caption: str


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.topology` results: a row for each checkpoint."""
    trees = read_trees(inputs, checkpoint)
    with styled():
        import matplotlib.pyplot as plt

        size = (WIDTH, 0.6 + 3.2 * len(trees))
        figure, panels = plt.subplots(len(trees), 2, figsize=size, squeeze=False)
        for (left, right), tree in zip(panels, trees, strict=True):
            (_basins if len(tree.axes) == 2 else _segments)(left, tree)
            left.set_title(f"{tree.name}: basins")
            _merging(right, tree)
            right.set_title("how they merge")
        words = [f"{tree.name}: {tree.caption}" for tree in trees]
        said = f"colours: the {len(COLOURS)} deepest basins; grey: all others; hatched: the loss is not finite"
        caption_below(figure, "\n".join([*words, said]), 7.5)
        return save(figure, out)


def read_trees(inputs: Sequence[Path], checkpoint: Sequence[str]) -> list[Tree]:
    """The surfaces and basins to draw, one for each checkpoint, all or those chosen."""
    trees = read_chosen(inputs, "topology", "landscape", checkpoint, _tree)
    if not 1 <= len(trees) <= BESIDE:
        raise BadInput(f"{len(trees)} checkpoints, the figure has room for 1 to {BESIDE}: choose with --checkpoint")
    return trees


def _tree(group: Any, own: Any, name: str, summary: dict[str, Any]) -> Tree:
    names = [axis for axis in AXES if axis in group]
    count = slice(summary["minima"])
    return Tree(
        name,
        tuple(group[axis][()] for axis in names),
        group["loss"][own],
        group["basin_of_point"][own],
        np.stack([group[f"minimum_{axis}"][own][count] for axis in names], axis=1),
        group["minimum_loss"][own][count],
        group["saddle_loss"][own][count],
        group["parent"][own][count],
        _caption(summary),
    )


def _caption(summary: dict[str, Any]) -> str:
    words = [f"{summary['minima']} basin{'s' * (summary['minima'] != 1)}"]
    if summary["centre_share"] is not None:
        words.append(f"the network's own has {summary['centre_share']:.1%} of the grid")
    if summary["condition"] is not None:
        words.append(f"condition at the centre {summary['condition']:.3g}")
    if summary["convex_share"] is not None:
        words.append(f"convex at {summary['convex_share']:.1%} of the inner points")
    return ", ".join(words)


def _colour(number: int) -> str:
    return COLOURS[number - 1] if number <= len(COLOURS) else OTHERS


def _pale(colour: str) -> tuple[float, ...]:
    """Halfway to white, and opaque: nothing shines through."""
    from matplotlib.colors import to_rgb

    return tuple((1 + part) / 2 for part in to_rgb(colour))


def _basins(axes: Axes, tree: Tree) -> None:
    """Each point in the colour of its basin, under contours of the loss."""
    from matplotlib.colors import ListedColormap

    alpha, beta = tree.axes
    numbers = np.ma.masked_equal(np.minimum(tree.basin_of_point, len(COLOURS) + 1), 0)
    colours = ListedColormap([_pale(colour) for colour in (*COLOURS, OTHERS)])
    axes.patch.set(hatch="////", facecolor=WALL, edgecolor="#999999")
    axes.pcolormesh(alpha, beta, numbers.T, cmap=colours, vmin=0.5, vmax=len(COLOURS) + 1.5, rasterized=True)
    steps, _ = levels([tree.loss])
    axes.contour(alpha, beta, np.ma.masked_invalid(tree.loss).T, steps, colors="black", linewidths=0.4)
    axes.plot(0, 0, "P", color="white", markersize=8, markeredgecolor="black", markeredgewidth=0.7)
    for number, at in enumerate(tree.minima[: len(COLOURS)], 1):
        box: dict[str, Any] = {"facecolor": "white", "edgecolor": _colour(number), "boxstyle": "circle", "pad": 0.15}
        inwards = 7 if at[0] < alpha.mean() else -7, 7 if at[1] < beta.mean() else -7
        axes.annotate(
            f"{number}", at, inwards, textcoords="offset points", ha="center", va="center", fontsize=7, bbox=box
        )
        axes.plot(*at, ".", color="black")
    axes.set(xlabel="α", ylabel="β")


def _segments(axes: Axes, tree: Tree) -> None:
    """A line's loss, each stretch in the colour of its basin."""
    (alpha,) = tree.axes
    half = (alpha[1] - alpha[0]) / 2
    axes.plot(alpha, np.where(np.isfinite(tree.loss), tree.loss, np.nan), color="black", linewidth=1)
    for at, number in zip(alpha, tree.basin_of_point, strict=True):
        wall: dict[str, Any] = {"facecolor": WALL, "hatch": "////", "edgecolor": "#999999"}
        look = wall if number == 0 else {"facecolor": _pale(_colour(number))}
        axes.axvspan(at - half, at + half, linewidth=0, **look)
    axes.axvline(0, color="black", linewidth=0.8, linestyle=":")
    _scale(axes, tree)
    axes.set(xlabel="α", ylabel="loss")


def _merging(axes: Axes, tree: Tree) -> None:
    """The merge tree: a stem from each minimum up to its saddle, where it joins the stem of a lower one."""
    top = 1.05 * np.nanmax([tree.born.max(initial=0), np.nanmax(tree.merged, initial=0), _highest(tree)])
    order = _order(tree.parent)
    for index, number in enumerate(order):
        end = tree.merged[number - 1]
        colour = _colour(number)
        axes.plot([index] * 2, [tree.born[number - 1], top if np.isnan(end) else end], color=colour, linewidth=2)
        axes.plot(index, tree.born[number - 1], "o", color=colour)
        if tree.parent[number - 1]:
            axes.plot([order.index(tree.parent[number - 1]), index], [end, end], color=colour, linewidth=1)
    axes.set_xticks(range(len(order)), [f"{number}" for number in order] if len(order) <= 20 else [""] * len(order))
    axes.set(xlabel="basin", ylabel="loss", xlim=(-0.7, len(order) - 0.3))
    _scale(axes, tree)


def _order(parent: Array) -> list[int]:
    """Basins from left to right, each followed by those that merge with it.

    >>> _order(np.array([0, 1, 1, 2]))
    [1, 2, 4, 3]
    """

    def from_(number: int) -> list[int]:
        children = (np.flatnonzero(parent == number) + 1).tolist()
        return [number, *(each for child in children for each in from_(child))]

    return [each for root in (np.flatnonzero(parent == 0) + 1).tolist() for each in from_(root)]


def _highest(tree: Tree) -> float:
    """Where the stem of what never merges ends: the median of the finite losses."""
    finite = tree.loss[np.isfinite(tree.loss)]
    return float(np.median(finite)) if len(finite) else 1.0


def _scale(axes: Axes, tree: Tree) -> None:
    if len(tree.born) and tree.born.min() > 0 and axes.dataLim.y1 > WIDE * tree.born.min():
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)


if __name__ == "__main__":
    command(draw, "surface_topology", __doc__ or "", Choosing)
