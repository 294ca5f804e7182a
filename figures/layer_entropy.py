"""Entropy of each layer's rectifier, and which layers the network computes the same without: of `entropy.layers`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.networks import network_looks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, save, styled
from figures.reading.measurements import measured
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 8
"""layers whose names stand side by side"""
READS = Reads(measure="layers", arrays=("entropy",), room=6)

Found = tuple[str, dict[str, Any]]


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `entropy.layers` results: entropies above, the share of neurons that never change below."""
    found = _read(inputs, checkpoint)
    names = list(dict.fromkeys(layer["name"] for _, summary in found for layer in summary["layers"]))
    with styled():
        import matplotlib.pyplot as plt

        figure, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 4.6), sharex=True)
        for (_, summary), style in zip(found, network_looks([name for name, _ in found]), strict=True):
            _entropies(above, summary, style, names)
            _unchanging(below, summary, style, names)
        above.set_ylabel("entropy (bit)")
        above.set_ylim(0, None)
        below.set_ylabel("neurons that\nnever change (%)")
        below.set_ylim(0, 100)
        below.set_xticks(range(len(names)), names, rotation=90 if len(names) > MANY else 0)
        below.set_xlabel("layer, in forward order")
        handles, labels = above.get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(found))
        return save(figure, out)


def _entropies(axes: Axes, summary: dict[str, Any], style: Look, names: Sequence[str]) -> None:
    layers = [layer for layer in summary["layers"] if layer["entropy"] is not None]
    x = [names.index(layer["name"]) for layer in layers]
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": style.line}
    axes.plot(x, [layer["entropy"] for layer in layers], label=style.label, **look)
    gone = [layer for layer in layers if layer["removable"]]
    ring: dict[str, Any] = {"markersize": 11, "markerfacecolor": "none", "linestyle": "none", "marker": "o"}
    x = [names.index(layer["name"]) for layer in gone]
    axes.plot(x, [layer["entropy"] for layer in gone], color=style.colour, **ring)


def _unchanging(axes: Axes, summary: dict[str, Any], style: Look, names: Sequence[str]) -> None:
    layers = summary["layers"]
    x = np.array([names.index(layer["name"]) for layer in layers])
    share = [100 * (layer["always_on"] + layer["always_off"]) / layer["neurons"] for layer in layers]
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": style.line}
    axes.plot(x, share, **look)


def _caption(found: Sequence[Found]) -> str:
    counts = sorted({f"{summary['samples']:,} {summary['split']} examples" for _, summary in found})
    estimators = sorted({str(summary["estimator"]).upper() for _, summary in found})
    any_gone = any(layer["removable"] for _, summary in found for layer in summary["layers"])
    ring = (
        "ring: the network computes the same without it" if any_gone else "no layer can go without changing an output"
    )
    return f"{' or '.join(estimators)}; {' or '.join(counts)}; {ring}"


def _read(inputs: Sequence[Path], chosen: Sequence[str]) -> list[Found]:
    found: list[Found] = []
    for path in inputs:
        with measured(path, "layers", "entropy") as (_, checkpoints):
            found += [(name, summary) for name, summary in checkpoints if not chosen or name in chosen]
    if not any(summary["layers"] for _, summary in found):
        raise BadInput("no layer to draw: `python -m minima.results FILE` lists what is in a file")
    return found


if __name__ == "__main__":
    command(draw, "layer_entropy", __doc__ or "", Choosing)
