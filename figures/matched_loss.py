"""Curvature against training loss after the last cut, so that networks are compared where they fit alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, look, plain_ticks, save, styled
from figures.reading.evidence import Curve, finishing
from figures.reading.study_results import read_all
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {"lambda_max": "λ₁ of the Hessian", "adaptive_lambda_max": "adaptive λ₁"}
Curves = Mapping[tuple[str, float, int], Curve]

READS = Reads(measure="sharpness", arrays=("lambda_max", "adaptive_lambda_max"), moments=True, study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.sharpness` results of trajectories: a line for each seed, its finished network marked."""
    results = [result for result in read_all(inputs) if result.measure == "sharpness"]
    curves = {measure: finishing(results, measure) for measure in MEASURES}
    sparsities = sorted({sparsity for _, sparsity, _ in curves["lambda_max"]})
    if not sparsities:
        raise BadInput("none of the files holds the sharpness of a trajectory (NAME.trajectory.h5)")
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(2, len(sparsities), figsize=(WIDTH, 5.2), sharex="col", squeeze=False)
        for row, (measure, label) in zip(panels, MEASURES.items(), strict=True):
            for axes, sparsity in zip(row, sparsities, strict=True):
                _panel(axes, {key: curve for key, curve in curves[measure].items() if key[1] == sparsity})
                axes.set_title(f"{100 * sparsity:g} % removed")
            row[0].set_ylabel(label)
        for axes in panels[-1]:
            axes.set_xlabel("training loss (nat)")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 3)
        return save(figure, out)


def _panel(axes: Axes, curves: Curves) -> None:
    """Lines from the loss after the cut to the finished network."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    said = set()
    for (arm, _, _), curve in sorted(curves.items()):
        style, order = look(arm), np.argsort(curve.loss)
        label = style.label if arm not in said else None
        said.add(arm)
        axes.plot(curve.loss[order], curve.value[order], color=style.colour, alpha=0.5, linewidth=0.9)
        axes.plot(curve.loss[-1], curve.value[-1], style.marker, color=style.colour, linestyle="none", label=label)
    plain_ticks(axes.yaxis)
    plain_ticks(axes.xaxis)


if __name__ == "__main__":
    command(draw, "matched_loss", __doc__ or "")
