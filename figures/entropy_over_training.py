"""Entropy and class information of alive neurons, and dead neurons, over training, method beside method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import Drawing, command
from figures.drawing.psp import LEVELS, Network, examples, level, read_networks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, from_zero, looks, save, styled
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 4
"""methods that fit the page"""
TOGETHER = "all hidden layers"
LAYERS = 6
"""lines that can be told apart; of a deeper network all layers are drawn together"""
SHAPES: tuple[tuple[str, str | tuple[int, tuple[float, ...]]], ...] = (
    ("o", "-"),
    ("s", (0, (5, 1.5))),
    ("^", (0, (2, 1))),
    ("D", "-."),
    ("v", ":"),
    ("P", (0, (4, 1, 1, 1, 1, 1))),
)
READS = Reads(measure="psp", arrays=("*/entropy", "*/class_information"), moments=True, room=BESIDE)


@dataclass(frozen=True, kw_only=True)
class Flags(Drawing):
    """Flags of this figure."""

    unit: Literal["epoch", "step"] = "epoch"
    """what `--keep` counted"""


Moments = dict[int, Network]


def draw(inputs: Sequence[Path], out: Path, unit: str = "epoch") -> list[Path]:
    """Draw from `entropy.psp` results of trajectories (`--keep`): thin lines for seeds, their median with markers."""
    methods = runs_of(read_networks(inputs))
    with styled():
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        figure, panels = plt.subplots(
            len(LEVELS), len(methods), figsize=(WIDTH, 6.2), sharex="col", sharey="row", squeeze=False
        )
        for (method, seeds), column in zip(methods.items(), panels.T, strict=True):
            for quantity, axes in zip(LEVELS, column, strict=True):
                _panel(axes, list(seeds.values()), quantity)
            column[0].set_title(looks([method])[method].label)
            column[-1].set_xlabel(unit)
            column[-1].xaxis.set_major_locator(MaxNLocator(7, integer=True))
        for words, row in zip(LEVELS.values(), panels, strict=True):
            row[0].set_ylabel(words)
            from_zero(row)
        handles, labels = panels[0, 0].get_legend_handles_labels()
        caption = _caption([moments for seeds in methods.values() for moments in seeds.values()], unit)
        legend_below(figure, handles, labels, 4, caption)
        return save(figure, out)


def runs_of(networks: Sequence[Network]) -> dict[str, dict[int, Moments]]:
    """The moments of each training, by method and seed."""
    found: dict[str, dict[int, Moments]] = {}
    for network in networks:
        step = network.summary.get("step")
        if step is None:
            raise BadInput(f"{network.name} is no moment of a trajectory: measure NAME.trajectory.h5, made with --keep")
        seed, method = network.seed_and_method
        moments = found.setdefault(method, {}).setdefault(seed, {})
        if step in moments:
            raise BadInput(f"{network.name} and {moments[step].name} are of one method and seed: draw one of the two")
        moments[step] = network
    if len(found) > BESIDE:
        raise BadInput(f"{len(found)} methods ({', '.join(found)}), and the figure has room for {BESIDE}")
    return found


def _panel(axes: Axes, seeds: Sequence[Moments], quantity: str) -> None:
    """A line for each hidden layer: the median over the moments that all seeds have."""
    first = next(iter(seeds[0].values()))
    names = [layer.name for layer in first.layers] if len(first.layers) <= LAYERS else [TOGETHER]
    shared = sorted(set.intersection(*(set(moments) for moments in seeds)))
    for name, style in zip(names, _styles(names), strict=True):
        rows = [[_value(moments[step], name, quantity) for step in shared] for moments in seeds]
        if len(rows) > 1:
            axes.plot(shared, np.transpose(rows), color=style.colour, linewidth=0.5, alpha=0.5)
        middle = np.median(rows, axis=0)
        axes.plot(shared, middle, color=style.colour, marker=style.marker, linestyle=style.line, label=name)


def _styles(layers: Sequence[str]) -> list[Look]:
    """From the first layer, dark, to the last, light: none is a method's colour."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shades = np.linspace(0, 0.8, len(layers))
    return [
        Look(name, to_hex(colormaps["cividis"](shade)), *shape)
        for name, shade, shape in zip(layers, shades, SHAPES, strict=False)
    ]


def _value(network: Network, name: str, quantity: str) -> float:
    layers = network.layers if name == TOGETHER else (network.layer(name),)
    return float(getattr(level(layers), quantity))


def _caption(runs: Sequence[Moments], unit: str) -> str:
    ends = [moments[max(moments)] for moments in runs]
    seeds = len({network.seed_and_method[0] for network in ends})
    removed = {f"{100 * network.summary['sparsity']:.3g} % removed at the end; " for network in ends}
    spread = f"median of {seeds} seeds, thin lines: each; " if seeds > 1 else ""
    share = removed.pop() if len(removed) == 1 else ""
    return f"{examples(ends[0])}; {share}{spread}{unit} 0: before any cut or step"


if __name__ == "__main__":
    command(draw, "entropy_over_training", __doc__ or "", Flags)
