"""The twenty largest Hessian eigenvalues of one-shot and gradual, in the survivors' and the full space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, look, save, spoken_model, styled
from figures.reading.study_results import Results, read_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPACES = {"survivors": "in the survivors' space", "full": "in the full space (removed weights included)"}
READS = Reads(measure="hessian", arrays=("eigenvalues",), study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.hessian --top 20` results of both subspaces."""
    results = read_all(inputs)
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.7), sharey=True)
        for axes, (space, title) in zip(panels, SPACES.items(), strict=True):
            here = [result for result in results if result.called.endswith(space)]
            _panel(axes, here)
            axes.set_title(title)
            axes.set_xlabel("rank")
            axes.set_xticks([1, 5, 10, 15, 20])
        panels[0].set_yscale("log")
        panels[0].set_ylabel("eigenvalue of the Hessian of the\nmean training loss (nat)")
        handles, labels = panels[0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(results))
        return save(figure, out)


def _panel(axes: Axes, results: Sequence[Results]) -> None:
    """Eigenvalues against rank: thin lines for seeds, the median with markers."""
    groups: dict[str, list[np.ndarray]] = {}
    for result in results:
        for name, eigenvalues in zip(result.names, result.array("hessian/eigenvalues"), strict=True):
            groups.setdefault(name.arm, []).append(eigenvalues)
    for arm, spectra in groups.items():
        style, rank = look(arm), np.arange(1, len(spectra[0]) + 1)
        shown = np.where(np.array(spectra) > 0, spectra, np.nan)  # a log axis has no place for others
        axes.plot(rank, shown.T, color=style.colour, linewidth=0.5, alpha=0.5)
        middle = np.median(shown, axis=0)
        axes.plot(rank, middle, color=style.colour, marker=style.marker, linestyle=style.line, label=style.label)


def _caption(results: Sequence[Results]) -> str:
    seeds = len({result.seed for result in results})
    sparsity = max(name.sparsity for result in results for name in result.names)
    return (
        f"{spoken_model(results[0].model)}, {100 * sparsity:g} % removed; markers: median over seeds, "
        f"thin lines: each of {seeds}; dense: all its weights"
    )


if __name__ == "__main__":
    command(draw, "hessian_spectrum", __doc__ or "")
