"""Loss, largest eigenvalue and batch sharpness over training, beside what the optimiser bears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import legend_below, with_unit
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, from_zero, save, styled
from figures.reading.measurements import measured, stem
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = 4
"""runs that fit the page"""
EIGENVALUE, BATCH, BEARS = "#0072B2", "#D55E00", "#000000"

Run = list[dict[str, Any]]
"""the summaries of a trajectory's moments"""
READS = Reads(measure="stability", moments=True, room=BESIDE)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.stability` results: a column for each trajectory."""
    runs = read_runs(inputs)
    with styled():
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        size, shares = (WIDTH, 4.6), {"height_ratios": (1, 2)}
        figure, panels = plt.subplots(
            2, len(runs), figsize=size, sharex="col", sharey="row", squeeze=False, gridspec_kw=shares
        )
        for (name, run), (above, below) in zip(runs.items(), panels.T, strict=True):
            above.plot(values(run, "update"), values(run, "loss"), color=BEARS, linewidth=1)
            above.set_yscale("log")
            above.set_title(f"{name}\n{_batches(run[0])}")
            _curvatures(below, run)
            below.set_xlabel("step")
            below.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        unit = next(iter(runs.values()))[0].get("loss_unit", "nat")
        panels[0, 0].set_ylabel(with_unit("training\nloss", unit))
        panels[1, 0].set_ylabel(with_unit("curvature", unit))
        from_zero(panels[1])
        handles, labels = panels[1, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(runs))
        return save(figure, out)


def read_runs(inputs: Sequence[Path]) -> dict[str, Run]:
    """The moments of each trajectory, by its name."""
    runs: dict[str, Run] = {}
    for path in inputs:
        with measured(path, "stability", "landscape") as (_, checkpoints):
            for name, summary in checkpoints:
                runs.setdefault(stem(name), []).append(summary)
    if len(runs) > BESIDE:
        raise BadInput(f"{len(runs)} trajectories ({', '.join(runs)}), and the figure has room for {BESIDE}")
    return runs


def values(run: Run, key: str) -> NDArray[np.float64]:
    """A number over the moments; NaN where there is none."""
    return np.array([summary[key] for summary in run], dtype=np.float64)


def _curvatures(axes: Axes, run: Run) -> None:
    step, decay = values(run, "update"), values(run, "weight_decay")
    batch, error = values(run, "batch_sharpness") + decay, np.nan_to_num(values(run, "batch_sharpness_stderr"))
    axes.plot(step, batch, color=BATCH, linewidth=1, linestyle=(0, (4, 1)), label="batch sharpness")
    axes.fill_between(step, batch - error, batch + error, color=BATCH, alpha=0.25, linewidth=0)
    label = "largest eigenvalue λₘₐₓ of the full loss"
    axes.plot(step, values(run, "lambda_max") + decay, color=EIGENVALUE, label=label)
    bears = values(run, "threshold")
    plain = np.allclose(bears * values(run, "learning_rate"), 2)
    axes.plot(step, bears, color=BEARS, linewidth=0.9, linestyle=":", label="2 / lr" if plain else "threshold")


def _caption(runs: Mapping[str, Run]) -> str:
    decayed = any(values(run, "weight_decay").any() for run in runs.values())
    words = (
        "batch sharpness: band of ± one standard error over batches; of a full batch, the curvature along its gradient"
    )
    return words + ("\nweight decay is added to both curvatures" if decayed else "")


def _batches(moment: dict[str, Any]) -> str:
    return "full batch" if moment["batch_size"] >= moment["samples"] else f"batches of {moment['batch_size']}"


if __name__ == "__main__":
    command(draw, "edge_of_stability", __doc__ or "")
