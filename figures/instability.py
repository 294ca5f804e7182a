"""Barriers between siblings against the epochs they share (after Frankle et al. 2020, figure 1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import legend_below, with_unit
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import LOOKS, WIDTH, from_zero, save, spoken_model, styled
from figures.reading.measurements import result
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALES = {"error": ("error barrier (percentage points)", 100), "loss": ("loss barrier", 1)}
STYLES = [look for name, look in LOOKS.items() if name != "dense-longer"]
READS = Reads(measure="instability", arrays=("barrier_loss", "barrier_error"), room=len(STYLES))


@dataclass(frozen=True)
class Series:
    """What one result of `landscape.instability` holds."""

    label: str
    shared: NDArray[np.int64]
    """(pairs,) epochs that the siblings of each pair share"""
    barriers: dict[str, NDArray[np.float64]]
    """(pairs,) in loss and in error"""
    units: dict[str, str]
    """of either"""

    def medians(self, quantity: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The numbers of shared epochs, and for each the median of a quantity over the pairs."""
        epochs = np.unique(self.shared)
        return epochs, np.array([np.median(self.barriers[quantity][self.shared == epoch]) for epoch in epochs])


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.instability` results: error beside loss, a line for each file."""
    every = [read(path) for path in inputs]
    if len(every) > len(STYLES):
        raise BadInput(f"{len(every)} results, and the figure tells {len(STYLES)} apart")
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.0), sharex=True)
        for axes, (quantity, (title, scale)) in zip(panels, SCALES.items(), strict=True):
            for series, look in zip(every, STYLES, strict=False):
                heights = scale * series.barriers[quantity]
                axes.plot(series.shared, heights, look.marker, color=look.colour, alpha=0.35, linestyle="none")
                epochs, middle = series.medians(quantity)
                axes.plot(epochs, scale * middle, color=look.colour, linestyle=look.line, label=series.label)
            axes.set_ylabel(with_unit(title, every[0].units[quantity]))
            from_zero([axes])
            _epochs(axes, sorted({int(epoch) for series in every for epoch in series.shared}))
        caption = "line: median over pairs of siblings; marks: each pair"
        handles, labels = panels[0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 2, caption)
        return save(figure, out)


def read(path: Path) -> Series:
    """Read the pairs of one results file."""
    with result(path, "instability", "landscape") as (file, (summary,)):
        model = spoken_model(json.loads(file.attrs["model"])["name"])
        found = {quantity: file[f"instability/barrier_{quantity}"] for quantity in SCALES}
        barriers = {quantity: np.asarray(each[()]) for quantity, each in found.items()}
        units = {quantity: str(each.attrs["units"]) for quantity, each in found.items()}
        removed = f", {summary['sparsity']:.0%} removed" if summary["sparsity"] else ""
        label = f"{model}{removed}, {summary['samples']:,} examples ({summary['split']})"
        return Series(label, np.asarray(file["instability/shared_epochs"][()]), barriers, units)


def _epochs(axes: Axes, shared: Sequence[int]) -> None:
    """A log axis of epochs with a place for 0."""
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    axes.set_xticks(shared, [str(epoch) for epoch in shared])
    axes.minorticks_off()
    axes.set_xlabel("epochs shared by the siblings")


if __name__ == "__main__":
    command(draw, "instability", __doc__ or "")
