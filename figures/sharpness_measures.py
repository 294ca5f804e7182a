"""Every sharpness measure of some networks side by side, or over a training, with errors: of `landscape.sharpness`."""

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
from figures.reading.conditions import Conditions, conditions, over_words, telling, typed_in, with_words
from figures.reading.measurements import measured, moment, stem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
READS = Reads(measure="sharpness", room=8, alike=("loss_name", "subset", "parameters"))
ERRORS = ("data_stderr_new", "stderr", "seed_stderr")
"""those of a measure, in the order in which one is drawn"""


@dataclass(frozen=True)
class Sharpness:
    """The measures of sharpness of one checkpoint."""

    name: str
    summary: dict[str, Any]
    units: dict[str, str]
    """of each measure"""
    asked: Conditions


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.sharpness` results: a panel for each measure, on its own scale."""
    found = _read(inputs, checkpoint)
    measures = list(dict.fromkeys(name for each in found for name in each.summary["measures"]))
    told = telling([each.asked for each in found])
    styles = network_looks([each.name for each in found], told)
    columns = min(COLUMNS, len(measures))
    rows = math.ceil(len(measures) / columns)
    with styled():
        import matplotlib.pyplot as plt

        size = (max(WIDTH * columns / COLUMNS, 0.6 * WIDTH), 1.1 + 1.75 * rows)
        figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for axes, measure in zip(panels.flat, measures, strict=False):
            _panel(axes, found, told, styles, measure)
        for axes in panels.flat[len(measures) :]:
            axes.set_axis_off()
        handles, labels = panels[0, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(found))
        return save(figure, out)


def _panel(axes: Axes, found: Sequence[Sharpness], told: Sequence[str], styles: Sequence[Look], measure: str) -> None:
    """One measure: a mark for each network, or a line for each training."""
    here = [each for each in found if measure in each.summary["measures"]]
    taken = here[0].summary["measures"][measure]
    if all(moment(each.name) is not None for each in found):
        names = {id(each): with_words(stem(each.name), words) for each, words in zip(found, told, strict=True)}
        for training in dict.fromkeys(names[id(each)] for each in here):
            of_it = [each for each in here if names[id(each)] == training]
            x = [moment(each.name) or 0 for each in of_it]
            values, errors = zip(*(_value(each.summary["measures"][measure]) for each in of_it), strict=True)
            axes.errorbar(x, values, errors, marker=".", capsize=2, label=training)
        axes.set_xlabel("moment")
    else:
        for place, (each, style) in enumerate(zip(found, styles, strict=True)):
            value, error = _value(each.summary["measures"].get(measure, {}))
            look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
            axes.errorbar(place, value, error, capsize=2.5, label=style.label, **look)
        axes.set_xticks([])
        axes.set_xlim(-0.7, len(found) - 0.3)
    low, high = axes.get_ylim()
    axes.set_ylim(0 if low > 0 else 1.1 * low, 1.05 * high if high > 0 else 0)
    axes.set_title(f"{measure}\n({_invariance(taken['invariant'])})", fontsize=7.5)
    units = {each.units[measure] for each in here}
    axes.set_ylabel("in units of each loss" if len(units) > 1 else "".join(units - {"1"}))


def _value(taken: dict[str, Any]) -> tuple[float, float]:
    """A measure and the largest of its errors; NaN and 0 where there is none."""
    errors = [taken.get(kind) for kind in ERRORS]
    return _number(taken.get("value")), max((error for error in errors if error is not None), default=0.0)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _invariance(kind: str) -> str:
    return {"none": "not invariant", "layer": "layer-invariant", "unit": "unit-invariant"}.get(kind, kind)


def _caption(found: Sequence[Sharpness]) -> str:
    counts = sorted({f"{each.summary['samples']:,} {each.summary['split']} examples" for each in found})
    over = over_words([each.asked for each in found])
    return (
        f"{over}{' or '.join(counts)}; bars: the larger of the errors of examples and of draws\n"
        "not invariant: rescaling the layers of a ReLU network changes it, though not the network's function"
    )


def _read(inputs: Sequence[Path], chosen: Sequence[str]) -> list[Sharpness]:
    found = []
    for path in inputs:
        with measured(path, "sharpness", "landscape") as (file, checkpoints):
            group = file["sharpness"]
            for name, summary in checkpoints:
                if not chosen or name in chosen:
                    units = {key: str(group[key].attrs["units"]) for key in summary["measures"]}
                    units = {key: summary["loss_unit"] if unit == "nat" else unit for key, unit in units.items()}
                    found.append(Sharpness(name, summary, units, conditions(summary, typed_in(file))))
    return found


if __name__ == "__main__":
    command(draw, "sharpness_measures", __doc__ or "", Choosing)
