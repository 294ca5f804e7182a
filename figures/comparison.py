"""A comparison of pruning methods: error, effective sparsity, cost, sharpness and PSP-entropy against compression."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, compression_axis, looks, plain_ticks, save, styled
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {
    "error": "test error (%)",
    "effective_sparsity": "reachable weights (%)",
    "training_by_density": "training, multiply-adds\ntimes density",
    "psp_entropy_alive": "PSP-entropy of\nalive neurons (bit)",
}
LINEAR = ("training_by_density", "psp_entropy_alive")
"""panels without a log axis"""
UNFINISHED = "unfinished"
"""the stage whose figure has the plain name"""
SHARPNESS = 2
"""measures of sharpness that are drawn: the first ones"""
READS = Reads(measure="comparison", study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from the JSON table of a study of kind `methods`."""
    if len(inputs) != 1:
        raise BadInput(f"{len(inputs)} files: this figure is drawn from one, the .comparison.json of figures.study")
    table = _read(inputs[0])
    measures = {name: f"{name}\n(invariance: {kind})" for name, kind in list(table["sharpness"].items())[:SHARPNESS]}
    stages = dict.fromkeys(row["stage"] for row in table["rows"])
    written = []
    for stage in stages:
        rows = [row for row in table["rows"] if row["seeds"] and row["stage"] == stage]
        if rows:
            written += _draw(rows, measures, out if stage == UNFINISHED else out.with_name(f"{out.name}-{stage}"))
    return written


def _draw(rows: Sequence[Mapping[str, Any]], measures: dict[str, str], out: Path) -> list[Path]:
    styles = looks(row["arm"] for row in rows)
    with styled():
        import matplotlib.pyplot as plt

        figure, grid = plt.subplots(2, 3, figsize=(WIDTH, 5.0), sharex=True)
        for axes, (key, label) in zip(grid.flat, (PANELS | measures).items(), strict=False):
            for arm, style in styles.items():
                _line(axes, [row for row in rows if row["arm"] == arm], key, style)
            if key not in LINEAR:
                axes.set_yscale("log")
                plain_ticks(axes.yaxis)
            axes.set_ylabel(label)
        for axes in grid.flat[len(PANELS | measures) :]:
            axes.set_visible(False)
        for axes in grid.flat:
            compression_axis(axes, sorted({row["asked"] for row in rows if row["asked"]}))
            if axes is not grid[1, 1]:
                axes.set_xlabel("")
        for above, below in grid.T:
            above.tick_params(labelbottom=not below.get_visible())
        handles, labels = grid.flat[0].get_legend_handles_labels()
        caption = f"median of {max(row['seeds'] for row in rows)} seeds, band: quartiles"
        legend_below(figure, handles, labels, 3, caption)
        return save(figure, out)


def _line(axes: Axes, rows: Sequence[Mapping[str, Any]], key: str, style: Look) -> None:
    """An arm's medians at the sparsities its networks have; the dense parent is a horizontal line."""
    there = [row for row in rows if row[key]["median"] is not None]
    if not there:
        return
    low, middle, high = (np.array([_shown(row[key][name], key) for row in there]) for name in ("low", "median", "high"))
    if there[0]["asked"] == 0:
        axes.axhline(middle[0], color=style.colour, linestyle=style.line, linewidth=1, label=style.label)
        return
    x = [1 / (1 - row["sparsity"]["median"]) for row in there]
    axes.plot(x, middle, color=style.colour, marker=style.marker, linestyle=style.line, label=style.label)
    axes.fill_between(x, low, high, color=style.colour, alpha=0.15, linewidth=0)


def _shown(value: float, key: str) -> float:
    """In per cent where the panel is; NaN for what has no place on a log axis."""
    shown = {"error": 100 * value, "effective_sparsity": 100 * (1 - value)}.get(key, value)
    return shown if shown > 0 or key in LINEAR else np.nan


def _read(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads(path.read_text())
        if table["rows"] and table["cells"]:
            return table
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is no table of figures.study ({error})") from error
    raise BadInput(f"{path} has no network in it that was finished")


if __name__ == "__main__":
    command(draw, "comparison", __doc__ or "")
