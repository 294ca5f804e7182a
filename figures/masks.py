"""What masks leave of each layer, reachable or not, and how far they keep the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, looks, plain_ticks, save, styled
from figures.reading.measurements import measured, stem
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 8
"""checkpoints that can be told apart"""
READS = Reads(measure="masks", room=BESIDE, together=False)


@dataclass(frozen=True)
class Shown:
    """The checkpoints of one file that are shown."""

    names: list[str]
    summaries: list[dict[str, Any]]
    jaccard: NDArray[np.float64] | None
    """(checkpoint, checkpoint), where there are several; below the diagonal as found, above it as expected"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from one `pruning.masks` result, of one checkpoint or several."""
    if len(inputs) != 1:
        raise BadInput(f"{len(inputs)} files: measure the checkpoints together, pruning.masks A.pt B.pt -o FILE.h5")
    shown = _read(inputs[0], checkpoint)
    with styled():
        import matplotlib.pyplot as plt

        panels = 1 if shown.jaccard is None else 2
        figure, row = plt.subplots(1, panels, figsize=(WIDTH if panels == 2 else 0.6 * WIDTH, 3.8), squeeze=False)
        _layers(row[0, 0], shown)
        if shown.jaccard is not None:
            _overlap(row[0, 1], shown.names, shown.jaccard)
        handles, labels = row[0, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 2, "solid: kept, dotted: reachable")
        return save(figure, out)


def _layers(axes: Axes, shown: Shown) -> None:
    """The fraction of each layer's weights that is kept, and that is on a path."""
    layers = [layer["name"].removesuffix(".weight") for layer in shown.summaries[0]["layers"]]
    places = np.arange(len(layers))
    for (name, style), summary in zip(looks(shown.names).items(), shown.summaries, strict=True):
        for key, line in (("kept", "-"), ("reachable", ":")):
            density = np.array([layer[key] / layer["total"] for layer in summary["layers"]])
            label = name if key == "kept" else None
            drawn = np.where(density > 0, density, np.nan)  # an empty layer has no place on a log axis
            axes.plot(places, 100 * drawn, color=style.colour, marker=style.marker, linestyle=line, label=label)
    axes.set_yscale("log")
    plain_ticks(axes.yaxis)
    axes.set_ylabel("weights left (%)")
    axes.set_xticks(places, layers, rotation=90 if len(layers) > 4 else 0)


def _overlap(axes: Axes, names: Sequence[str], jaccard: NDArray[np.float64]) -> None:
    axes.imshow(jaccard, cmap="Blues", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(jaccard):
        colour = "white" if value > 0.5 else "black"
        axes.text(column, row, f"{value:.2g}", ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_title("Jaccard index of the weights kept;\nabove the diagonal: of independent masks")


def _read(path: Path, chosen: Sequence[str]) -> Shown:
    with measured(path, "masks", "pruning") as (file, found):
        kept = [place for place, (name, _) in enumerate(found) if not chosen or name in chosen]
        if not 1 <= len(kept) <= BESIDE:
            raise BadInput(
                f"{len(kept)} checkpoints, and the figure has room for 1 to {BESIDE}: choose with "
                "--checkpoint NAME ...\n`python -m minima.results FILE` lists their names"
            )
        jaccard = None
        if len(found) > 1:
            every, expected = (file[f"masks/{key}"][()][np.ix_(kept, kept)] for key in ("jaccard", "jaccard_expected"))
            jaccard = np.tril(every) + np.triu(expected, 1)
    return Shown([stem(found[place][0]) for place in kept], [found[place][1] for place in kept], jaccard)


if __name__ == "__main__":
    command(draw, "masks", __doc__ or "", Choosing)
