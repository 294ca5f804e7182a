"""One map over a plane: contours, the network in its centre, and other networks and a training on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from figures.reading.surface_fields import Trajectory

COLOURS = "cividis"
LEVELS = 17
WIDE = 20
"""ratio of largest to smallest from which the scale is logarithmic"""
DEEP = 1e4
"""ratio of largest to smallest on a logarithmic scale: what is lower is drawn as the smallest"""
LONG = 3
"""ratio of the sides up to which a unit is as long on both axes"""

Array = NDArray[np.float64]


def levels(arrays: Sequence[Array], logarithmic: bool = True) -> tuple[Array, bool]:
    """Contour levels that all of these maps share, and whether they are evenly spaced in the logarithm, if they may.

    >>> levels([np.array([1.0, np.inf]), np.array([100.0])])[0][[0, 8, 16]].tolist()
    [1.0, 10.0, 100.0]
    """
    finite = np.concatenate([values[np.isfinite(values)] for values in arrays])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    if logarithmic and low > 0 and high > WIDE * low:
        return np.geomspace(max(low, high / DEEP), high, LEVELS), True
    return np.linspace(low, high, LEVELS), False


def draw_map(axes: Axes, grid: Sequence[Array], values: Array, shared: tuple[Array, bool], cells: bool = False) -> Any:
    """Filled contours with thin lines on (alpha, beta), or `cells`; hatched where nothing is finite.

    Returns what a colour bar explains.
    """
    from matplotlib.colors import LogNorm, Normalize

    steps, logarithmic = shared
    norm = (LogNorm if logarithmic else Normalize)(steps[0], steps[-1])
    alpha, beta = grid
    finite = np.ma.masked_invalid(np.maximum(values, steps[0])).T
    if np.ma.is_masked(finite):
        axes.patch.set(hatch="////", facecolor="#ffffff", edgecolor="#999999")
    if cells:
        filled: Any = axes.pcolormesh(alpha, beta, finite, norm=norm, cmap=COLOURS, shading="nearest")
    else:
        filled = axes.contourf(alpha, beta, finite, steps, norm=norm, cmap=COLOURS)
        axes.contour(alpha, beta, finite, steps, colors="white", linewidths=0.4, linestyles="solid")
    sides = np.ptp(alpha), np.ptp(beta)
    axes.set_aspect("equal" if max(sides) < LONG * min(sides) else "auto")
    axes.set_xlabel("α")
    axes.set_ylabel("β")
    return filled


def bar_ticks(bar: Any, shared: tuple[Array, bool]) -> None:
    """Plain numbers on a colour bar, five or so."""
    from matplotlib.ticker import MaxNLocator

    steps, logarithmic = shared
    if not logarithmic:
        bar.set_ticks(MaxNLocator(5).tick_values(steps[0], steps[-1]))
        bar.ax.set_ylim(steps[0], steps[-1])
        return
    within = 10.0 ** np.arange(np.floor(np.log10(steps[0])), np.log10(steps[-1]))
    marks = np.outer(within, (1, 2, 5) if steps[-1] < 100 * steps[0] else (1,)).ravel()
    ticks = marks[(marks >= steps[0]) & (marks <= steps[-1])]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.ax.minorticks_off()


def mark_networks(axes: Axes, points: Mapping[str, tuple[float, float]], trajectory: Trajectory | None) -> None:
    """The network in the centre, others by name, and a training from its first to its last moment."""
    edged: dict[str, Any] = {"markeredgecolor": "black", "markeredgewidth": 0.7, "linestyle": "none"}
    if trajectory is not None:
        axes.plot(trajectory.alpha, trajectory.beta, color="black", linewidth=1.8)
        axes.plot(trajectory.alpha, trajectory.beta, color="white", linewidth=0.9)
        axes.plot(trajectory.alpha, trajectory.beta, "o", color="white", markersize=3, **edged)
        for index in (0, -1):
            at = trajectory.alpha[index], trajectory.beta[index]
            _say(axes, f"{trajectory.moments[index]:g}", at)
    for name, at in points.items():
        axes.plot(*at, "s", color="#E69F00", markersize=5, **edged)
        _say(axes, name, at)
    axes.plot(0, 0, "P", color="white", markersize=7, **edged)


def _say(axes: Axes, words: str, at: tuple[float, float]) -> None:
    """Words beside a point, on the side where there is room."""
    left = at[0] > sum(axes.get_xlim()) / 2
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.8}
    offset, side = ((-6, 4), "right") if left else ((6, 4), "left")
    axes.annotate(words, at, offset, textcoords="offset points", ha=side, fontsize=7, bbox=box)
