"""Largest and smallest eigenvalues of some networks against rank, with errors of examples: of `landscape.hessian`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import legend_below, with_unit
from figures.drawing.figure_command import Choosing, command
from figures.drawing.networks import network_looks
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, save, styled
from figures.reading.conditions import Conditions, conditions, over_words, telling, typed_in
from figures.reading.measurements import measured
from minima.store.command import BadInput
from minima.store.table import with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 20
"""ratio of largest to smallest from which the scale is logarithmic"""
MATRICES = {
    "hessian": "Hessian",
    "ggn": "Gauss-Newton matrix",
    "empirical-fisher": "empirical Fisher matrix",
    "mc-fisher": "Fisher matrix",
}
READS = Reads(measure="hessian", arrays=("eigenvalues",), room=8, alike=("loss_name", "subset", "parameters"))


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of one checkpoint."""

    name: str
    summary: dict[str, Any]
    asked: Conditions


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.hessian` results: a line for each checkpoint, of a training one for each moment."""
    found = _read(inputs, checkpoint)
    styles = network_looks([each.name for each in found], telling([each.asked for each in found]))
    with styled():
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        figure, axes = plt.subplots(figsize=(0.75 * WIDTH, 3.8))
        for each, style in zip(found, styles, strict=True):
            _line(axes, each.summary, style)
        values = np.concatenate([np.array(each.summary["eigenvalues"], dtype=float) for each in found])
        if values.min() > 0 and values.max() > WIDE * values.min():
            axes.set_yscale("log")
        else:
            axes.axhline(0, color="#999999", linewidth=0.8, linestyle=":")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("rank")
        axes.set_ylabel(with_unit(f"eigenvalue of the\n{_matrix(found)}", _unit(found)))
        handles, labels = axes.get_legend_handles_labels()
        legend_below(figure, handles, labels, 2, _caption(found))
        return save(figure, out)


def _unit(found: Sequence[Spectrum]) -> str:
    units = {each.summary["loss_unit"] for each in found}
    return "in units of each loss" if len(units) > 1 else str(found[0].summary["loss_unit"])


def _line(axes: Axes, summary: dict[str, Any], style: Look) -> None:
    """Eigenvalues with the errors that other examples would make; the trace, where it was estimated, in words."""
    values = np.array(summary["eigenvalues"], dtype=float)
    trace, label = summary.get("trace"), style.label
    if trace:
        label += f" (trace {with_error(trace['value'], trace['stderr'])})"
    look: dict[str, Any] = {"color": style.colour, "marker": style.marker, "linestyle": style.line}
    axes.errorbar(np.arange(1, len(values) + 1), values, _errors(summary), capsize=2, label=label, **look)


def _errors(summary: dict[str, Any]) -> NDArray[np.float64] | None:
    found = summary.get("data_stderr_new")
    return None if found is None or None in found else np.array(found, dtype=float)


def _matrix(found: Sequence[Spectrum]) -> str:
    operators = dict.fromkeys(each.summary["operator"] for each in found)
    return " / ".join(MATRICES.get(name, name) for name in operators)


def _caption(found: Sequence[Spectrum]) -> str:
    counts = sorted({f"{each.summary['samples']:,} {each.summary['split']} examples" for each in found})
    spaces = sorted({str(each.summary["subspace"]) for each in found})
    bars = "; bars: standard error of new examples" * any(_errors(each.summary) is not None for each in found)
    over = over_words([each.asked for each in found])
    return f"{over}{' or '.join(counts)}, space: {' or '.join(spaces)}{bars}"


def _read(inputs: Sequence[Path], chosen: Sequence[str]) -> list[Spectrum]:
    found: list[Spectrum] = []
    for path in inputs:
        with measured(path, "hessian", "landscape") as (file, checkpoints):
            typed = typed_in(file)
            found += [
                Spectrum(name, summary, conditions(summary, typed))
                for name, summary in checkpoints
                if not chosen or name in chosen
            ]
    if not found:
        raise BadInput("no checkpoint to draw: `python -m minima.results FILE` lists the names for --checkpoint")
    return found


if __name__ == "__main__":
    command(draw, "eigenvalues", __doc__ or "", Choosing)
