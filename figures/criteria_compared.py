"""Rank correlations of criteria for units in each layer, and how far apart their scores are: of `pruning.criteria`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, looks, plain_ticks, save, styled
from figures.reading.measurements import read_chosen
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage

    from minima.store.hdf5.view import Group

PANELS = 12
"""layers that are shown; of more, as many at equal distances in depth"""
ACROSS = 4
ASIDE = 1.025
"""factor between the places of two criteria, which would hide each other at one"""
READS = Reads(measure="criteria", arrays=("spearman", "variation"), room=1)
GAUSSIAN = {"l1": (np.pi / 2 - 1) ** 0.5, "l2": 0.5**0.5}
"""spread x sqrt(weights) where these are a Gaussian's of mean 0: exactly, and of many weights"""


@dataclass(frozen=True)
class Compared:
    """The scores and spreads that are drawn of one network."""

    name: str
    criteria: list[str]
    layers: list[str]
    weights: NDArray[np.float64]
    """(layers,) of each unit"""
    spearman: NDArray[np.float64]
    """(layers, criteria, criteria)"""
    variation: NDArray[np.float64]
    """(layers, criteria)"""
    surrogate: NDArray[np.float64] | None
    """(layers, criteria), where there are surrogates"""
    summary: dict[str, Any]


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from one `pruning.criteria` result: a map for each layer, and the spread of the scores below."""
    found = read_chosen(inputs, "criteria", "pruning", checkpoint, _compared)
    if len(found) != 1:
        raise BadInput(
            f"{len(found)} checkpoints, and the figure shows one: choose it with --checkpoint NAME\n"
            "`python -m minima.results FILE` lists their names"
        )
    (compared,) = found
    shown = np.unique(np.linspace(0, len(compared.layers) - 1, PANELS).round().astype(int))
    rows = -(-len(shown) // ACROSS)
    with styled():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(WIDTH, 1.9 * rows + 4.2))
        halves: Any = figure.subfigures(2, 1, height_ratios=[1.9 * rows + 0.6, 3.6])
        _maps(halves[0], compared, shown)
        _spread(halves[1].subplots(), compared)
        halves[1].legend(loc="outside lower center", ncols=4, title=_caption(compared), title_fontsize=8)
        return save(figure, out)


def _maps(figure: SubFigure | Figure, compared: Compared, shown: NDArray[np.int64]) -> None:
    """Spearman's correlation of each pair, a map for each layer, on one scale from -1 to 1."""
    rows, columns = -(-len(shown) // ACROSS), min(ACROSS, len(shown))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    image: AxesImage | None = None
    for place, (axes, layer) in enumerate(zip(panels, shown, strict=False)):
        image = axes.imshow(compared.spearman[layer], cmap="RdBu", vmin=-1, vmax=1)
        _numbers(axes, compared.spearman[layer])
        axes.set_title(f"{compared.layers[layer]}\n{compared.weights[layer]:.4g} weights", fontsize=8)
        ticks = range(len(compared.criteria))
        axes.set_yticks(ticks, compared.criteria if place % columns == 0 else [], fontsize=7)
        last = place + columns >= len(shown)
        axes.set_xticks(ticks, compared.criteria if last else [], rotation=90, fontsize=7)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    if image is not None:
        figure.colorbar(image, ax=list(panels), label="Spearman's correlation", shrink=0.8)


def _numbers(axes: Axes, values: NDArray[np.float64]) -> None:
    """Two digits in each cell below the diagonal, where there is room for them."""
    if len(values) > 7:
        return
    for (row, column), value in np.ndenumerate(values):
        if column < row and np.isfinite(value):
            colour = "white" if abs(value) > 0.7 else "black"
            axes.text(column, row, f"{value.round(2) + 0.0:.2f}", ha="center", va="center", fontsize=5, color=colour)


def _spread(axes: Axes, compared: Compared) -> None:
    """Coefficient of variation against weights of a unit, with what Gaussian weights would give."""
    for place, (name, style) in enumerate(looks(compared.criteria).items()):
        own, beside = compared.variation[:, place], ASIDE ** (place - (len(compared.criteria) - 1) / 2)
        points: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
        at = compared.weights * beside
        axes.plot(at, np.where(own > 0, own, np.nan), label=name, **points)
        if compared.surrogate is not None:
            theirs = compared.surrogate[:, place]
            hollow = np.where(theirs > 0, theirs, np.nan)
            axes.plot(at, hollow, **points, markerfacecolor="none", alpha=0.6)
    axes.set_xscale("log")
    axes.set_yscale("log")
    known = compared.weights[np.isfinite(compared.weights)]
    ends = np.array([known.min() / 1.2, known.max() * 1.2])
    for (name, factor), line in zip(GAUSSIAN.items(), (":", "--"), strict=True):
        if name in compared.criteria:
            axes.plot(ends, factor * ends**-0.5, color="#666666", linestyle=line, label=f"{name} of Gaussian weights")
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
    axes.set_xlabel("weights of a unit")
    axes.set_ylabel("coefficient of variation\nof a layer's scores")


def _caption(compared: Compared) -> str:
    hollow = (
        f"; hollow: {compared.summary['draws']} surrogates with Gaussian weights"
        if compared.surrogate is not None
        else ""
    )
    count = f"{len(compared.layers)} layers"
    more = f", {PANELS} of them shown above" if len(compared.layers) > PANELS else ""
    return f"{compared.name}: {count}{more}; a marker for each layer{hollow}"


def _compared(group: Group, own: Any, name: str, summary: dict[str, Any]) -> Compared:
    surrogate = group["surrogate_variation"][own] if "surrogate_variation" in group else None
    return Compared(
        name,
        [str(each) for each in group["criterion"][()]],
        [str(each).removesuffix(".weight") for each in group["layer"][()]],
        group["weights"][own],
        group["spearman"][own],
        group["variation"][own],
        surrogate,
        summary,
    )


if __name__ == "__main__":
    command(draw, "criteria_compared", __doc__ or "", Choosing)
