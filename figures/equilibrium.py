"""Neurons trained in each epoch, and the score against what backward passes took: of `pruning.equilibrium`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.figure_command import Choosing, command
from figures.drawing.networks import network_looks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, save, styled
from figures.reading.measurements import Summary, read_chosen

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minima.store.hdf5.view import Group

READS = Reads(measure="equilibrium", arrays=("updated",), room=8)


@dataclass(frozen=True)
class Trained:
    """What one training left out of its updates, and the name that it is drawn under."""

    name: str
    summary: Summary
    epochs: NDArray[np.int64]
    updated: NDArray[np.float64]
    """(epochs,) share of all neurons that trained"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `pruning.equilibrium` results, full trainings beside those that froze neurons."""
    found = read_chosen(inputs, "equilibrium", "pruning", checkpoint, _read)
    with styled():
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.1))
        for each, style in zip(found, network_looks([each.name for each in found]), strict=True):
            _epochs(left, each, style)
            _cost(right, each, style)
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_xlabel("epoch")
        left.set_ylabel("neurons trained (%)")
        left.set_ylim(0, 104)
        right.set_xlabel("multiply-adds of the backward passes\n(% of full training)")
        right.set_ylabel(found[0].summary["score_name"] or "loss")
        right.set_xlim(0, 104)
        right.ticklabel_format(axis="y", useOffset=False)
        handles, labels = left.get_legend_handles_labels()
        counts = sorted({f"{each.summary['samples']:,} {each.summary['split']} examples" for each in found})
        legend: dict[str, Any] = {"ncols": 3, "title": " or ".join(counts), "title_fontsize": 8}
        figure.legend(handles, labels, loc="outside lower center", **legend)
        return save(figure, out)


def _epochs(axes: Axes, each: Trained, style: Look) -> None:
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": style.line}
    axes.plot(each.epochs, 100 * each.updated, label=style.label, markevery=max(1, len(each.epochs) // 12), **look)


def _cost(axes: Axes, each: Trained, style: Look) -> None:
    key = "loss" if each.summary["score_name"] is None else "score"
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
    axes.plot(100 * each.summary["backward_share"], each.summary[key], **look)


def _read(group: Group, own: Any, name: str, summary: Summary) -> Trained:
    neurons = np.asarray(group["neurons"][own], dtype=float)
    updated = np.asarray(group["updated"][own]) @ neurons / neurons.sum()
    return Trained(name, summary, np.asarray(group["epoch"][()]), updated)


if __name__ == "__main__":
    command(draw, "equilibrium", __doc__ or "", Choosing)
