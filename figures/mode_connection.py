"""Ways between the same two networks beside one another: straight, aligned, along curves that were trained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import fitted, legend_below, with_unit
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, from_zero, save, spoken_model, styled
from figures.reading.measurements import result, stem
from minima.store.command import BadInput
from minima.store.table import in_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 4
"""pairs that fit the page"""
KINDS = {"line": ("straight", "#000000"), "bezier": ("Bezier", "#0072B2"), "piecewise": ("two pieces", "#D55E00")}
TITLE = 200
"""points that a pair's name may be wide"""
SAME = ("samples", "split", "batch_norm")
"""what ways must have in common to be compared"""
STATISTICS = {"interpolate": "interpolated", "re-estimate": "estimated anew at each t"}
READS = Reads(measure="path", arrays=("loss",), room=BESIDE)


@dataclass(frozen=True)
class Way:
    """What one result of `landscape.path` holds."""

    path: Path
    ends: tuple[str, ...]
    """the checkpoints' hashes"""
    names: tuple[str, ...]
    """theirs; () in a file that does not say them"""
    model: str
    summary: dict[str, Any]

    @property
    def ends_named(self) -> str:
        """Between which networks; the file's name where that is all there is."""
        return " to ".join(map(stem, self.names)) or self.path.name.removesuffix(".h5").removesuffix(".path")

    @property
    def label(self) -> str:
        """Its kind, and whether the second network's units were put into the first's order."""
        name = KINDS[self.summary["kind"]][0]
        return name if self.summary["align"] == "none" else f"{name}, aligned"

    def values(self, quantity: str) -> NDArray[np.float64]:
        """Loss in its own unit, error in per cent; NaN where there are no classes to be wrong about."""
        if quantity == "loss":
            return np.array(self.summary["losses"], dtype=float)
        return 100 * np.array(self.summary["errors"], dtype=float)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.path` results: a column for each pair of networks, loss above error."""
    pairs = read_pairs(inputs)
    with styled():
        import matplotlib.pyplot as plt

        size = (min(WIDTH, 1.2 + 3.0 * len(pairs)), 5.2)
        figure, panels = plt.subplots(2, len(pairs), figsize=size, sharex=True, squeeze=False)
        for ways, column in zip(pairs, panels.T, strict=True):
            title = f"{ways[0].ends_named}\n{spoken_model(ways[0].model)}, {_examples(ways[0])}"
            column[0].set_title(fitted(title, TITLE), fontsize=8)
            for axes, quantity in zip(column, ("loss", "error"), strict=True):
                _panel(axes, ways, quantity)
            column[1].set_xlabel("t (0: first, 1: second network)")
        panels[0, 0].set_ylabel(with_unit("loss", pairs[0][0].summary["loss_unit"]))
        panels[1, 0].set_ylabel("error (%)")
        labels = {line.get_label(): line for axes in panels[0] for line in axes.get_lines()}
        caption = "numbers: barrier, the largest rise above the chord between the ends"
        legend_below(figure, labels.values(), labels, 3, caption)
        return save(figure, out)


def read_pairs(inputs: Sequence[Path]) -> list[list[Way]]:
    """The ways between each pair of networks, in the order of the files."""
    pairs: dict[tuple[str, ...], list[Way]] = {}
    for path in inputs:
        way = _read(path)
        pairs.setdefault(way.ends, []).append(way)
        first = pairs[way.ends][0]
        for key in SAME:
            if way.summary[key] != first.summary[key]:
                raise BadInput(
                    f"{first.path} has {key} {first.summary[key]}, {path} has {way.summary[key]}: ways between the "
                    "same networks are compared with the same examples and statistics.\nMeasure one of them again"
                )
    if len(pairs) > BESIDE:
        raise BadInput(f"{len(pairs)} pairs of networks, and the figure has room for {BESIDE}")
    return list(pairs.values())


def _read(path: Path) -> Way:
    with result(path, "path", "landscape") as (file, (summary,)):
        names = tuple(str(name) for name in file.attrs.get("together", ()))
        return Way(path, tuple(file.attrs["sha256"]), names, json.loads(file.attrs["model"])["name"], summary)


def _panel(axes: Axes, ways: Sequence[Way], quantity: str) -> None:
    """One quantity along each way, and its barrier in figures."""
    unit, scale = (ways[0].summary["loss_unit"], 1) if quantity == "loss" else ("points", 100)
    for row, way in enumerate(ways):
        colour = KINDS[way.summary["kind"]][1]
        line = "-" if way.summary["align"] == "none" else (0, (4, 1.5))
        axes.plot(way.summary["t"], way.values(quantity), color=colour, linestyle=line, label=way.label)
        if not np.isfinite(way.values(quantity)).any():
            axes.text(0.5, 0.5, "the outputs are no classes", ha="center", transform=axes.transAxes)
            continue
        height = scale * way.summary["barrier"][quantity]
        words = f"{way.label}: {in_unit(f'{height:.2g}', unit)}" if height >= 1e-6 else f"{way.label}: none"
        axes.text(
            0.5, 0.99 - 0.08 * row, words, color=colour, fontsize=8, ha="center", va="top", transform=axes.transAxes
        )
    from_zero([axes])
    top = (1.1 + 0.1 * len(ways)) * axes.get_ylim()[1]  # room for the words
    if quantity == "error":
        axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 100])
    axes.set_ylim(0, top)


def _examples(way: Way) -> str:
    """What was measured, in words."""
    said = f"{way.summary['samples']:,} examples ({way.summary['split']})"
    statistics = way.summary["batch_norm"]
    return said if statistics is None else f"{said}\nbatch norm {STATISTICS[statistics]}"


if __name__ == "__main__":
    command(draw, "mode_connection", __doc__ or "")
