"""Error against the bytes of quantised and coded networks, dense, pruned and shrunk: of `pruning.coded`."""

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
from figures.drawing.style import WIDTH, Look, plain_ticks, save, styled
from figures.reading.measurements import read_chosen
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minima.store.hdf5.view import Group

BESIDE = 8
"""checkpoints that can be told apart"""
READS = Reads(measure="coded", arrays=("coded_bytes", "ideal_bytes", "coded_loss"), room=BESIDE)


@dataclass(frozen=True)
class Coded:
    """One network at every width of its weights, ordered by size."""

    name: str
    summary: dict[str, Any]
    coded: NDArray[np.float64]
    """bytes"""
    ideal: NDArray[np.float64]
    error: NDArray[np.float64]
    """what `_level` makes of loss and score"""
    words: list[str]
    """width or step of each"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `pruning.coded` results: a line for each checkpoint."""
    found = read_chosen(inputs, "coded", "pruning", checkpoint, _coded)
    if not 1 <= len(found) <= BESIDE:
        raise BadInput(
            f"{len(found)} checkpoints, and the figure has room for 1 to {BESIDE}: choose with --checkpoint NAME ...\n"
            "`python -m minima.results FILE` lists their names"
        )
    if len({_label(each.summary) for each in found}) > 1:
        raise BadInput(
            "the checkpoints are judged by different losses or scores: draw them apart, with --checkpoint NAME"
        )
    with styled():
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(WIDTH, 4.2))
        for each, style in zip(found, network_looks([f"{each.name}.pt" for each in found]), strict=True):
            _line(axes, each, style)
        axes.set_xscale("log")
        plain_ticks(axes.xaxis)
        axes.set_xlabel("bytes of the network, coded (filled) and by the entropy of its symbols (hollow)")
        axes.set_ylabel(_label(found[0].summary))
        if all((each.error > 0).all() for each in found):
            axes.set_yscale("log")
            plain_ticks(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=2, title=_caption(found), title_fontsize=8)
        return save(figure, out)


def _line(axes: Axes, each: Coded, style: Look) -> None:
    """Error against coded bytes with the width at each marker, the ideal hollow; as it was, a line across."""
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker}
    axes.plot(each.coded, each.error, linestyle=style.line, label=style.label, **look)
    axes.plot(each.ideal, each.error, linestyle="none", markerfacecolor="none", alpha=0.7, **look)
    axes.axhline(_level(each.summary), color=style.colour, linewidth=0.6, alpha=0.6)
    for x, y, words in zip(each.coded, each.error, each.words, strict=True):
        place: dict[str, Any] = {"xytext": (3, 4), "textcoords": "offset points", "fontsize": 7}
        axes.annotate(words, (x, y), color=style.colour, **place)


def _label(summary: dict[str, Any]) -> str:
    if summary["score_name"] == "accuracy":
        return f"error on {summary['samples']:,} {summary['split']} examples (%)"
    if summary["score_name"] is None:
        return f"loss ({summary['loss_name']}) on {summary['samples']:,} {summary['split']} examples"
    return f"{summary['score_name']} on {summary['samples']:,} {summary['split']} examples"


def _level(found: dict[str, Any]) -> float:
    """Error in per cent; the score where it is no accuracy; the loss where there is no score."""
    if found["score_name"] == "accuracy":
        return float(100 * (1 - found["accuracy"]))
    return float(found["loss"] if found["score_name"] is None else found["score"])


def _caption(found: Sequence[Coded]) -> str:
    by = "bits of a weight" if any(each.summary["points"][0]["bits"] for each in found) else "step"
    return f"at each marker: {by}; thin line: the network before it was quantised"


def _coded(group: Group, own: Any, name: str, summary: dict[str, Any]) -> Coded:
    points = summary["points"]
    order = np.argsort(group["coded_bytes"][own])
    words = [f"{point['step']:.3g}" if point["bits"] is None else str(point["bits"]) for point in points]
    error = np.array([_level(point) for point in points])
    bytes_of = [np.asarray(group[key][own], dtype=float)[order] for key in ("coded_bytes", "ideal_bytes")]
    return Coded(name, summary, bytes_of[0], bytes_of[1], error[order], [words[place] for place in order])


if __name__ == "__main__":
    command(draw, "error_against_bytes", __doc__ or "", Choosing)
