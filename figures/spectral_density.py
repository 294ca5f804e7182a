"""The density of all eigenvalues on a log axis, where its bulk ends, and the largest eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing.captions import legend_below, with_unit
from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, save, styled
from figures.reading.conditions import Conditions, conditions, telling, typed_in, with_words
from figures.reading.measurements import measured, stem
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BELOW_ONE = 50
"""the axis begins at this fraction of the peak of a single eigenvalue"""
BESIDE = 6
MATRICES = {"hessian": "Hessian", "ggn": "Gauss-Newton matrix"}
DENSITY, BEYOND, WITHIN = "#0072B2", "#D55E00", "#999999"

Spectrum = tuple[str, dict[str, Any]]
READS = Reads(measure="hessian", arrays=("density",), room=BESIDE)


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.hessian --density` results: a panel for each checkpoint."""
    spectra = read_spectra(inputs, checkpoint)
    with styled():
        import matplotlib.pyplot as plt

        columns = min(2, len(spectra))
        rows = math.ceil(len(spectra) / columns)
        figure, panels = plt.subplots(rows, columns, figsize=(WIDTH, 0.7 + 2.3 * rows), squeeze=False)
        for axes, (name, summary) in zip(panels.flat, spectra, strict=False):
            _panel(axes, summary)
            axes.set_title(name)
        for axes in panels.flat[len(spectra) :]:
            axes.set_axis_off()
        for axes in panels[:, 0]:
            unit = spectra[0][1]["loss_unit"]
            axes.set_ylabel("density" if unit == "1" else f"density (1/{unit})")
        for axes, (_, summary) in zip(panels.flat, spectra, strict=False):
            operator = summary["operator"]
            words = f"eigenvalue of the {MATRICES.get(operator, operator)}"
            axes.set_xlabel(with_unit(words, summary["loss_unit"]))
        handles, labels = panels[0, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 2)
        return save(figure, out)


def read_spectra(inputs: Sequence[Path], chosen: Sequence[str]) -> list[Spectrum]:
    """Name, with what sets its result apart, and summary of each checkpoint, all or those chosen."""
    found: list[Spectrum] = []
    asked: list[Conditions] = []
    for path in inputs:
        with measured(path, "hessian", "landscape") as (file, checkpoints):
            typed = typed_in(file)
            for name, summary in checkpoints:
                if not chosen or name in chosen:
                    found.append((name, summary))
                    asked.append(conditions(summary, typed))
    for name, summary in found:
        if "density" not in summary:
            raise BadInput(f"{name} was measured without its density: python -m landscape.hessian {name} --density")
    if not 1 <= len(found) <= BESIDE:
        raise BadInput(f"{len(found)} checkpoints, the figure has room for 1 to {BESIDE}: choose with --checkpoint")
    titles = zip(found, telling(asked), strict=True)
    return [(with_words(stem(name), words), summary) for (name, summary), words in titles]


def _panel(axes: Axes, summary: dict[str, Any]) -> None:
    density, eigenvalues = summary["density"], np.array(summary["eigenvalues"])
    edge = (density | summary.get("outliers", {}))["edge"]
    support, height = np.array(density["support"]), np.array(density["values"])
    one = 1 / (summary["dimension"] * density["width"] * math.sqrt(2 * math.pi))
    axes.plot(support, height, color=DENSITY, linewidth=1, label="density of the eigenvalues, smoothed")
    axes.set_yscale("log")
    axes.set_ylim(one / BELOW_ONE, 3 * height.max())
    axes.axhline(one, color=WITHIN, linewidth=0.8, linestyle=":", label="height of a single eigenvalue")
    axes.axvline(edge, color="#000000", linewidth=0.9, linestyle="--", label="end of the bulk")
    beyond = eigenvalues > edge
    label = "one of the largest eigenvalues (grey: within the bulk)"
    for group, colour, said in ((eigenvalues[beyond], BEYOND, label), (eigenvalues[~beyond], WITHIN, None)):
        marks: dict[str, Any] = {"marker": "|", "markersize": 9, "linestyle": "none"}
        axes.plot(group, np.full(len(group), 2.5 * one / BELOW_ONE), color=colour, label=said, **marks)
    many = f"{beyond.sum()}" if not beyond.all() else f"at least {beyond.sum()}"
    axes.annotate(f"{many} beyond", (0.97, 0.93), xycoords="axes fraction", ha="right", va="top", fontsize=8)


if __name__ == "__main__":
    command(draw, "spectral_density", __doc__ or "", Choosing)
