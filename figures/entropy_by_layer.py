"""Distribution of PSP-entropy in each hidden layer, one-shot and gradual, all neurons and alive ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, look, save, spoken_model, styled
from figures.reading.evidence import LayerStates, layer_states
from figures.reading.study_results import Results, read_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 25
READS = Reads(measure="psp", arrays=("*/entropy", "*/counts"), study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `entropy.psp` results: a row for each hidden layer, the neurons of all seeds together."""
    results = read_all(inputs)
    layers = results[0].hidden_layers()
    arms = _shown_arms(results)
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(
            len(layers), 2, figsize=(WIDTH, 1.1 + 1.6 * len(layers)), sharex=True, squeeze=False
        )
        for layer, (every, alive) in zip(layers, panels, strict=True):
            for arm in arms:
                states = layer_states(results, layer, arm)
                _steps(every, states, arm, only_alive=False)
                _steps(alive, states, arm, only_alive=True)
                for axes in (every, alive):
                    axes.set_ylim(0, 1.8 * axes.dataLim.y1)  # room for the words
            every.set_ylabel(f"{layer}\nneurons (%)")
        panels[0, 0].set_title("all neurons")
        panels[0, 1].set_title("alive neurons (neither always on nor always off)")
        for axes in panels[-1]:
            axes.set_xlabel("PSP-entropy, summed over classes (bit)")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(results))
        return save(figure, out)


def _shown_arms(results: Sequence[Results]) -> list[str]:
    found = {name.arm for result in results for name in result.names}
    return [arm for arm in ("dense", "magnitude", "lobster-from-parent") if arm in found]


def _steps(axes: Axes, states: LayerStates, arm: str, only_alive: bool) -> None:
    """A histogram drawn as a line, each distribution on its own scale of 100 %; mean and count in words."""
    style = look(arm)
    values = states.entropy[states.alive] if only_alive else states.entropy
    edges = np.linspace(0, states.classes, BINS + 1)
    share = 100 * np.histogram(values, edges)[0] / max(values.size, 1)
    axes.stairs(share, edges, color=style.colour, linestyle=style.line, linewidth=1.4, label=style.label)
    row = ("dense", "magnitude", "lobster-from-parent").index(arm)
    mean = f"mean {values.mean():.2f}" if values.size else "none"
    words = f"{mean}, n = {values.size}"
    if not only_alive:
        words += f", dead {100 * np.mean(states.dead):.0f} %"
    axes.text(
        0.98, 0.96 - 0.14 * row, words, color=style.colour, fontsize=8, ha="right", va="top", transform=axes.transAxes
    )


def _caption(results: Sequence[Results]) -> str:
    sparsity = max(name.sparsity for result in results for name in result.names)
    split, samples = results[0].attribute("split"), results[0].samples
    return (
        f"{spoken_model(results[0].model)}, {100 * sparsity:g} % removed, after the common finish; "
        f"{len(results)} seeds together; {samples} {split} images"
    )


if __name__ == "__main__":
    command(draw, "entropy_by_layer", __doc__ or "")
