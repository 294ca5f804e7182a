"""Accuracy on other data against PSP-entropy there, linear probe beside fine-tuning: of `entropy.transfer`."""

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

PANELS = {
    "probe": "linear probe on the frozen features",
    "fine_tuned": "fine-tuned, the mask kept",
}
READS = Reads(measure="transfer", arrays=("probe_accuracy",), room=8)

Found = tuple[str, dict[str, Any]]


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `entropy.transfer` results: a mark for each checkpoint, with 95 % intervals over test examples."""
    found = _read(inputs, checkpoint)
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.5), sharey=True)
        for axes, (key, title) in zip(panels, PANELS.items(), strict=True):
            for (_, summary), style in zip(found, network_looks([name for name, _ in found]), strict=True):
                _mark(axes, summary, style, key)
            axes.set_title(title)
            axes.set_xlabel("mean PSP-entropy of hidden neurons\non the target (bit)")
            axes.margins(x=0.2)
            if not axes.has_data():
                axes.text(0.5, 0.5, "not measured", ha="center", transform=axes.transAxes)
        panels[0].set_ylabel("accuracy on the target (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(found))
        return save(figure, out)


def _mark(axes: Axes, summary: dict[str, Any], style: Look, key: str) -> None:
    accuracy, interval = summary[f"{key}_accuracy"], summary[f"{key}_interval"]
    if accuracy is None or summary["entropy"] is None:
        return
    low, high = interval if interval is not None else (accuracy, accuracy)
    errors = 100 * np.array([[accuracy - low], [high - accuracy]])
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": "none"}
    axes.errorbar(summary["entropy"], 100 * accuracy, np.maximum(errors, 0), capsize=2.5, label=style.label, **look)


def _caption(found: Sequence[Found]) -> str:
    target = found[0][1]["target"]
    return (
        f"target: {target['spec']}, {target['classes']} classes, {target['test']:,} test examples; bars: 95 % intervals"
    )


def _read(inputs: Sequence[Path], chosen: Sequence[str]) -> list[Found]:
    found: list[Found] = []
    for path in inputs:
        with measured(path, "transfer", "entropy") as (_, checkpoints):
            found += [(name, summary) for name, summary in checkpoints if not chosen or name in chosen]
    targets = {summary["target"]["spec"] for _, summary in found}
    if len(targets) != 1:
        raise BadInput(f"results on {len(targets)} targets ({', '.join(targets)}): draw those on one target together")
    return found


if __name__ == "__main__":
    command(draw, "transfer", __doc__ or "", Choosing)
