"""Loss surfaces of dense, one-shot and gradual on one scale, as contours and in 3-D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import caption_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, look, save, spoken_model, styled
from figures.reading.study_results import Results, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "cividis"
LEVELS = 13
CEILING = 10.0
"""nat: what is higher is drawn as that, so that a steep corner does not flatten the rest"""
READS = Reads(measure="surface", arrays=("loss", "beta"), study=True)


@dataclass(frozen=True)
class Surface:
    """A network's loss over two directions."""

    title: str
    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]
    log_loss: NDArray[np.float64]
    """log10 of the loss in nat, (alpha, beta)"""


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from one `landscape.surface` result of three networks."""
    result = read(inputs[0])
    surfaces = _surfaces(result)
    low = min(surface.log_loss.min() for surface in surfaces)
    high = max(surface.log_loss.max() for surface in surfaces)
    levels = np.linspace(low, high, LEVELS)
    with styled():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(WIDTH, 4.8))
        count = len(surfaces)
        flat = [figure.add_subplot(2, count, 1 + index) for index in range(count)]
        for axes, surface in zip(flat, surfaces, strict=True):
            filled = _contours(axes, surface, levels)
        flat[0].set_ylabel("β")
        _in_space(figure, surfaces, levels)
        bar = figure.colorbar(filled, ax=figure.axes, shrink=0.6, label="training loss (nat), log scale")
        _plain_ticks(bar, low, high)
        caption_below(figure, _caption(result))
        return save(figure, out)


def _surfaces(result: Results) -> list[Surface]:
    loss = np.clip(result.array("surface/loss"), 1e-6, CEILING)
    alpha, beta = result.labels("surface/alpha"), result.labels("surface/beta")
    norms = _norms(result)
    return [
        Surface(f"{look(name.arm).label}\n{words}", alpha, beta, np.log10(values))
        for name, values, words in zip(result.names, loss, norms, strict=True)
    ]


def _norms(result: Results) -> list[str]:
    """The directions' norms, and in units of the weights' norm, in words, one a network."""
    norms, relative = result.array("surface/direction_norm"), result.array("surface/relative_direction_norm")
    return [f"|d| = {_both(pair)}\n|d| / |w| = {_both(shares)}" for pair, shares in zip(norms, relative, strict=True)]


def _both(numbers: NDArray[np.float64]) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)


def _contours(axes: Axes, surface: Surface, levels: NDArray[np.float64]) -> Any:
    """Filled contours with thin lines; the network itself is the cross."""
    filled = axes.contourf(surface.alpha, surface.beta, surface.log_loss.T, levels, cmap=COLOURS)
    axes.contour(
        surface.alpha, surface.beta, surface.log_loss.T, levels, colors="white", linewidths=0.4, linestyles="solid"
    )
    axes.plot(0, 0, "+", color="white", markersize=8)
    axes.set_title(surface.title, fontsize=8.5)
    axes.set_aspect("equal")
    axes.set_xlabel("α")
    return filled


def _in_space(figure: Figure, surfaces: Sequence[Surface], levels: NDArray[np.float64]) -> None:
    for index, surface in enumerate(surfaces):
        axes: Any = figure.add_subplot(2, len(surfaces), len(surfaces) + 1 + index, projection="3d")
        x, y = np.meshgrid(surface.alpha, surface.beta, indexing="ij")
        axes.plot_surface(
            x, y, surface.log_loss, cmap=COLOURS, vmin=levels[0], vmax=levels[-1], rstride=1, cstride=1, linewidth=0
        )
        axes.set_zlim(levels[0], levels[-1])
        ticks = _decades(levels[0], levels[-1])
        axes.set_zticks(np.log10(ticks), [f"{tick:g}" for tick in ticks])
        axes.set_xticks([surface.alpha[0], 0, surface.alpha[-1]])
        axes.set_yticks([surface.beta[0], 0, surface.beta[-1]])
        axes.set_xlabel("α", labelpad=-6)
        axes.set_ylabel("β", labelpad=-6)
        axes.tick_params(pad=-2)
        axes.view_init(elev=28, azim=-55)
        axes.set_box_aspect((1, 1, 0.75), zoom=1.15)


def _decades(low: float, high: float) -> NDArray[np.float64]:
    """Powers of ten between the ends, thinned to five at most."""
    exponents = np.arange(np.ceil(low), np.floor(high) + 1)
    return 10.0 ** exponents[:: max(1, int(np.ceil(len(exponents) / 5)))]


def _plain_ticks(bar: Any, low: float, high: float) -> None:
    ticks = _decades(low, high)
    bar.set_ticks(np.log10(ticks), labels=[f"{tick:g}" for tick in ticks])


def _caption(result: Results) -> str:
    sparsity = max(name.sparsity for name in result.names)
    return (
        f"{spoken_model(result.model)}, seed {result.seed}; pruned: {100 * sparsity:g} % removed, "
        "after the common finish. Two random filter-normalised directions among the survivors;\n"
        f"|d|: their norms, |w|: the weights'; losses above {CEILING:g} nat are drawn as {CEILING:g}"
    )


if __name__ == "__main__":
    command(draw, "loss_surfaces", __doc__ or "")
