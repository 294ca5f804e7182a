"""Which class each neuron is on for: P(ON | class), neurons by preferred class and selectivity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import caption_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.psp import Layer, Network, beside, check_count, examples, read_networks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 4
"""checkpoints that fit the page"""
FEW = 200
"""neurons that have some pixels each"""
BLUR = 20
"""rows of the image for a class: squeezing many neurons into few pixels blurs it in both directions"""
READS = Reads(measure="psp", arrays=("*/counts",), moments=False, room=BESIDE)


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `entropy.psp` results, best with `--selectivity`: a row for each layer, checkpoints side by side."""
    networks = read_networks(inputs, checkpoint)
    check_count(networks, BESIDE)
    layers = [layer.name for layer in networks[0].layers]
    with styled():
        import matplotlib.pyplot as plt

        size = (WIDTH, 1.0 + 1.25 * len(layers))
        figure, panels = plt.subplots(len(layers), len(networks), figsize=size, sharey=True, squeeze=False)
        for name, row in zip(layers, panels, strict=True):
            for network, axes in zip(networks, row, strict=True):
                image = _panel(axes, network.layer(name))
            row[0].set_ylabel(f"{name}\nclass")
        for axes, style in zip(panels[0], beside(networks), strict=True):
            axes.set_title(style.label)
        figure.colorbar(image, ax=panels, shrink=0.6, aspect=30, label="P(ON | class)")
        caption_below(figure, _caption(networks))
        return save(figure, out)


def selectivity_of(layer: Layer) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Selectivity index and preferred class of each neuron: of its mean activation, or of P(ON | class) without it.

    (largest - mean of the others) / (largest + mean of the others), as `entropy.psp --selectivity` has it; -1 where it
    means nothing.
    """
    response = layer.p_on if layer.activation is None else layer.activation
    preferred = np.nanargmax(response, axis=0)
    if layer.selectivity is not None:
        return np.nan_to_num(layer.selectivity, nan=-1), preferred
    largest, shown = np.nanmax(response, axis=0), np.isfinite(response).any(1).sum()
    rest = (np.nansum(response, axis=0) - largest) / max(shown - 1, 1)
    total = largest + rest
    return np.divide(largest - rest, total, out=np.full_like(largest, -1), where=total > 0), preferred


def order_of(layer: Layer) -> NDArray[np.int64]:
    """Alive neurons by preferred class, the most selective first; then those always on, then the dead."""
    selectivity, preferred = selectivity_of(layer)
    group = np.where(layer.dead, 2, np.where(layer.always_on, 1, 0))
    return np.lexsort((-selectivity, np.where(layer.alive, preferred, 0), group))


def _panel(axes: Axes, layer: Layer) -> Any:
    """P(ON | class) as an image, neurons from left to right; a line before the neurons that never change."""
    values, order = layer.p_on, order_of(layer)
    classes, neurons = values.shape
    extent = (-0.5, neurons - 0.5, -0.5, classes - 0.5)
    tall = np.repeat(values[:, order], BLUR, axis=0)
    smooth = "antialiased" if neurons > FEW else "nearest"
    look: dict[str, Any] = {"cmap": "cividis", "vmin": 0, "vmax": 1, "interpolation": smooth}
    image = axes.imshow(tall, aspect="auto", origin="lower", extent=extent, **look)
    alive = int(layer.alive.sum())
    if 0 < alive < neurons:
        axes.axvline(alive - 0.5, color="white", linewidth=1.6)
        axes.axvline(alive - 0.5, color="black", linewidth=0.8, linestyle=(0, (2, 1)))
    axes.set_xticks([])
    axes.set_xlabel(f"{alive:,} alive, {layer.always_on.sum():,} always on, {layer.dead.sum():,} dead", fontsize=7)
    step = max(1, int(np.ceil(classes / 5)))
    axes.set_yticks(range(0, classes, step), layer.classes[::step])
    return image


def _caption(networks: Sequence[Network]) -> str:
    of = "mean activation" if networks[0].layers[0].activation is not None else "P(ON | class)"
    return (
        f"One column a neuron, by preferred class and selectivity index of its {of}, the most selective first;\n"
        f"behind the dashed line those always on, then the dead; {examples(networks[0])}"
    )


if __name__ == "__main__":
    command(draw, "neuron_class_map", __doc__ or "", Choosing)
