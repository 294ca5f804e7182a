"""What the neurons of a layer repeat of each other: multi-information of all pairs, clustered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import caption_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.psp import Layer, Network, beside, check_count, examples, read_networks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, save, styled
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 3
"""checkpoints that fit the page"""

Floats = NDArray[np.float64]
READS = Reads(measure="psp", arrays=("*/joint_entropy",), moments=False, room=BESIDE)


@dataclass(frozen=True, kw_only=True)
class Flags(Choosing):
    """Flags of this figure."""

    layer: str | None = None
    """hidden layer to show (default: the last)"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = (), layer: str | None = None) -> list[Path]:
    """Draw from `entropy.psp --order 2` results: a matrix for each checkpoint, its dendrogram above."""
    name = layer or read_networks(inputs[:1], checkpoint)[0].layers[-1].name
    networks = read_networks(inputs, checkpoint, pairs_of=name)
    check_count(networks, BESIDE)
    clustered = [cluster(network.layer(name), network.name) for network in networks]
    top = max((float(np.quantile(off_diagonal(c.information), 0.999)) for c in clustered), default=0) or 1.0
    with styled():
        import matplotlib.pyplot as plt

        size, shares = (WIDTH, 0.6 + WIDTH * 1.15 / max(len(networks), 2)), {"height_ratios": (1, 4)}
        figure, panels = plt.subplots(2, len(networks), figsize=size, squeeze=False, gridspec_kw=shares)
        for c, style, (tree, axes) in zip(clustered, beside(networks), panels.T, strict=True):
            _tree(tree, c)
            tree.set_title(style.label)
            image = _matrix(axes, c, top)
        words = "multi-information,\nsummed over classes (bit)"
        figure.colorbar(image, ax=panels, shrink=0.7, aspect=25, label=words, extend="max")
        caption_below(figure, _caption(name, networks))
        return save(figure, out)


@dataclass(frozen=True)
class Clustered:
    """The neurons of a layer that have entropy, in the order of the leaves."""

    information: Floats
    """H_i + H_j - H_ij in bits, summed over classes (neuron, neuron); on the diagonal H_i"""
    tree: Floats
    """scipy's linkage; without a row where there are fewer than two neurons"""
    left_out: str
    """how many neurons are not here, in words"""


def cluster(layer: Layer, network: str) -> Clustered:
    """Average linkage on 1 - (H_i + H_j - H_ij) / H_ij, a metric between 0 (the same state) and 1 (nothing shared)."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if layer.joint is None:
        raise BadInput(
            f"{network}: there are no joint entropies of {layer.name}.\n"
            "`entropy.psp --order 2` stores them, where it looks at all pairs and a layer has some hundred neurons"
        )
    here = layer.entropy > 0
    entropy, joint = layer.entropy[here], layer.joint[np.ix_(here, here)]
    information = np.maximum(entropy[:, None] + entropy - joint, 0)  # rounding may leave -1e-16
    left_out = _left_out(layer, here)
    if here.sum() < 2:
        return Clustered(information, np.empty((0, 4)), left_out)
    distance = np.clip(1 - information / joint, 0, 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    leaves = leaves_list(tree)
    return Clustered(information[np.ix_(leaves, leaves)], tree, left_out)


def _left_out(layer: Layer, here: NDArray[np.bool_]) -> str:
    """The neurons whose state repeats nothing, since it says nothing within a class."""
    dead, always_on = int(layer.dead.sum()), int(layer.always_on.sum())
    rest = int((~here).sum()) - dead - always_on
    found = {"dead": dead, "always on": always_on, "fixed by the class": rest}
    said = ", ".join(f"{count} {what}" for what, count in found.items() if count)
    return f"left out: {said}" if said else "none left out"


def off_diagonal(matrix: Floats) -> Floats:
    """What is not on the diagonal, as a row; [0] of a matrix of one."""
    found: Floats = matrix[~np.eye(len(matrix), dtype=bool)]
    return found if found.size else np.zeros(1)


def _tree(axes: Axes, clustered: Clustered) -> None:
    """The dendrogram, without names: neurons have none."""
    from scipy.cluster.hierarchy import dendrogram

    neurons = len(clustered.information)
    width = min(0.5, 50 / max(neurons, 1))
    axes.set_axis_off()
    if len(clustered.tree):
        parts: Any = dendrogram(clustered.tree, no_plot=True)
        for x, y in zip(parts["icoord"], parts["dcoord"], strict=True):
            axes.plot(np.array(x) / 10, y, color="black", linewidth=width)  # scipy puts the leaves at 5, 15, ...
        axes.set_xlim(0, neurons)
        axes.set_ylim(0, 1.02)


def _matrix(axes: Axes, clustered: Clustered, top: float) -> Any:
    """The pairs as an image, leaves in their order; colours by the root, since most pairs repeat little."""
    from matplotlib.colors import PowerNorm

    neurons = len(clustered.information)
    image = axes.imshow(clustered.information, cmap="cividis", norm=PowerNorm(0.5, 0, top), aspect="auto")
    axes.set_xlabel(f"{neurons:,} neurons\n{clustered.left_out}", fontsize=7.5)
    axes.set_xticks([])
    axes.set_yticks([])
    return image


def _caption(layer: str, networks: Sequence[Network]) -> str:
    return (
        f"All pairs of {layer}: what two neurons repeat of each other; diagonal: a neuron's own entropy; square-root "
        f"scale.\nTree: average linkage on 1 - multi-information / joint entropy, from 0 to 1; "
        f"{examples(networks[0])}"
    )


if __name__ == "__main__":
    command(draw, "pair_entropy", __doc__ or "", Flags)
