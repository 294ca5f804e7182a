"""Score of networks under perturbed inputs and weights, a panel for each trial: of `pruning.robustness`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.networks import network_looks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, save, styled
from figures.reading.contents import data_of, spoken_data
from figures.reading.measurements import measured
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
BITS = "quantisation"
"""the trial whose levels are bits: few to the right, so that every panel goes from weak to strong"""
READS = Reads(measure="robustness", arrays=("*/loss",), room=7, alike=("data", "loss_name", "score_name"))


@dataclass(frozen=True)
class Tried:
    """One network's summary, and what the levels of each trial are."""

    name: str
    summary: dict[str, Any]
    strengths: dict[str, str]
    data: str
    """as the file records them"""

    @property
    def trials(self) -> dict[str, Any]:
        """By name, the numbers of each."""
        return dict(self.summary["robustness"])

    @property
    def key(self) -> str:
        """What is drawn: the score, or the loss where there is none."""
        return "loss" if self.summary["score_name"] is None else "score"


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `pruning.robustness` results: a panel for each trial, the score against the level."""
    found = _read(inputs, checkpoint)
    styles = _looks(found)
    trials = list(dict.fromkeys(name for each in found for name in each.trials))
    marked = any("bit_error" in each.trials[name] for each in found for name in each.trials)
    columns = min(COLUMNS, len(trials))
    rows = math.ceil(len(trials) / columns)
    with styled():
        import matplotlib.pyplot as plt

        size = (max(WIDTH * columns / COLUMNS, 0.6 * WIDTH), 0.9 + 1.9 * rows)
        figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
        for axes, trial in zip(panels.flat, trials, strict=False):
            _panel(axes, found, styles, trial)
        for axes in panels.flat[len(trials) :]:
            axes.set_axis_off()
        for row in panels:
            row[0].set_ylabel(found[0].summary["score_name"] or "loss")
        handles, labels = _of_all(panels)
        legend_below(figure, handles, labels, 3, _caption(found, marked))
        return save(figure, out)


def _looks(found: Sequence[Tried]) -> list[Look]:
    """One for each network.

    Raises:
        BadInput: they are judged on different data, by different losses or scores, or share a colour.
    """
    judged = {(each.data, each.summary["loss_name"], each.summary["score_name"]): each for each in found}
    if len(judged) > 1:
        words = " and ".join(_judged(each) for each in judged.values())
        raise BadInput(
            f"the networks are judged on different data, or by different losses or scores: {words}.\n"
            "Draw them apart, with --checkpoint NAME; `python -m figures FILE ...` parts the files"
        )
    styles = network_looks([each.name for each in found])
    if not found or len({style.colour for style in styles}) < len(styles):
        raise BadInput(
            f"{len(found)} checkpoints, and the figure has colours for 1 to {READS.room}: choose with --checkpoint\n"
            "`python -m minima.results FILE` lists their names"
        )
    return styles


def _judged(each: Tried) -> str:
    data = f"{spoken_data(each.data)}, " if each.data else ""
    return f"{data}{each.summary['loss_name']}"


def _panel(axes: Axes, found: Sequence[Tried], styles: Sequence[Look], trial: str) -> None:
    for each, style in zip(found, styles, strict=True):
        if trial not in each.trials:
            continue
        taken = each.trials[trial]
        look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": style.line}
        values, errors = (_numbers(taken[key]) for key in (each.key, f"{each.key}_stderr"))
        levels = taken["levels"] if trial != BITS else range(len(taken["levels"]))
        axes.errorbar(levels, values, np.nan_to_num(errors), capsize=2, label=style.label, **look)
        if "bit_error" in taken:
            _watermark(axes, levels, taken["bit_error"], style)
        if trial == BITS:
            axes.set_xticks(list(levels), [f"{level:g}" for level in taken["levels"]])
    axes.set_xlabel(next(each.strengths[trial] for each in found if trial in each.trials), fontsize=7.5)
    axes.set_title(trial.replace("_", " "), fontsize=8.5)


def _watermark(axes: Axes, levels: Any, errors: Sequence[float | None], style: Look) -> None:
    """The share of bits that are read right, thin."""
    right = 1 - _numbers(errors)
    axes.plot(levels, right, color=style.colour, linestyle=":", linewidth=0.9, marker="_", markersize=7)


def _numbers(values: Sequence[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _of_all(panels: Any) -> tuple[list[Any], list[str]]:
    """Handles and labels of all panels, each once: a trial may be refused of some networks."""
    shown: dict[str, Any] = {}
    for axes in panels.flat:
        handles, labels = axes.get_legend_handles_labels()
        shown = dict(zip(labels, handles, strict=True)) | shown
    return list(shown.values()), list(shown)


def _caption(found: Sequence[Tried], marked: bool) -> str:
    counts = sorted({f"{each.summary['samples']:,} {each.summary['split']} examples" for each in found})
    bits = "; dotted: share of the watermark's bits read right" if marked else ""
    return f"{_judged(found[0])}: {' or '.join(counts)}; bars: standard errors over draws{bits}"


def _read(inputs: Sequence[Path], chosen: Sequence[str]) -> list[Tried]:
    found = []
    for path in inputs:
        with measured(path, "robustness", "pruning") as (file, checkpoints):
            group = file["robustness"]
            for row, (name, summary) in enumerate(checkpoints):
                if not chosen or name in chosen:
                    strengths = {
                        trial: str(group[f"{trial}/level"].attrs["long_name"]) for trial in summary["robustness"]
                    }
                    found.append(Tried(name, summary, strengths, data_of(file, row)))
    return found


if __name__ == "__main__":
    command(draw, "robustness", __doc__ or "", Choosing)
