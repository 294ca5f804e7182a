"""Largest Hessian eigenvalues of pruned networks beside those of their dense parent, whole and in masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.drawing.captions import legend_below, with_unit
from figures.drawing.figure_command import Choosing, command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, save, styled
from figures.reading.measurements import read_chosen
from minima.store.command import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minima.store.hdf5.view import Group

BESIDE = 4
"""checkpoints that fit the page"""
RANDOM = "random-mask"
LOOKS = {
    "pruned": Look("pruned network, its survivors", "#D55E00", "o", "-"),
    "parent": Look("dense parent, all weights", "#000000", "D", "-"),
    "parent-in-mask": Look("dense parent, survivors' coordinates", "#0072B2", "s", (0, (5, 1.5))),
    RANDOM: Look("dense parent, random coordinates", "#E69F00", "X", ":"),
}
"""by operator as the file names it; the random masks together"""
READS = Reads(measure="survivors", arrays=("eigenvalues",), room=BESIDE)


@dataclass(frozen=True)
class Spectra:
    """The eigenvalues of one pruned checkpoint's operators."""

    name: str
    summary: dict[str, Any]
    eigenvalues: dict[str, NDArray[np.float64]]
    """(masks, rank) by operator: one row but for the random masks"""
    errors: dict[str, NDArray[np.float64]]
    """(rank,) by operator, of the random masks that of their mean: standard error of new examples; {} if not known"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `landscape.survivors` results, best with `--top 20`: a panel for each pruned checkpoint."""
    found = read_chosen(inputs, "survivors", "landscape", checkpoint, _spectra)
    if not 1 <= len(found) <= BESIDE:
        raise BadInput(
            f"{len(found)} checkpoints, and the figure has room for 1 to {BESIDE}: choose with --checkpoint NAME ...\n"
            "`python -m minima.results FILE` lists their names"
        )
    with styled():
        import matplotlib.pyplot as plt

        size = (min(WIDTH, 2.6 + 2.6 * len(found)), 3.9)
        figure, row = plt.subplots(1, len(found), figsize=size, sharey=True, squeeze=False)
        for axes, spectra in zip(row[0], found, strict=True):
            _panel(axes, spectra)
        row[0, 0].set_yscale("log")
        unit = found[0].summary.get("loss_unit", "nat")
        row[0, 0].set_ylabel(with_unit("eigenvalue of the Hessian of the\nmean loss", unit))
        handles, labels = row[0, 0].get_legend_handles_labels()
        legend_below(figure, handles, labels, 2, _caption(found))
        return save(figure, out)


def _panel(axes: Axes, spectra: Spectra) -> None:
    """Eigenvalues against rank; of the random masks their mean with markers, each a thin line; errors as bars."""
    for operator, values in spectra.eigenvalues.items():
        style, rank = LOOKS[operator], np.arange(1, values.shape[1] + 1)
        shown = np.where(values > 0, values, np.nan)  # a log axis has no place for others
        if len(shown) > 1:
            axes.plot(rank, shown.T, color=style.colour, linewidth=0.5, alpha=0.6)
        middle = shown.mean(0)
        axes.plot(rank, middle, color=style.colour, marker=style.marker, linestyle=style.line, label=style.label)
        if operator in spectra.errors:
            axes.errorbar(rank, middle, spectra.errors[operator], fmt="none", ecolor=style.colour, capsize=2)
    axes.set_title(f"{spectra.name}\n{100 * spectra.summary['sparsity']:.4g} % removed")
    axes.set_xlabel("rank")
    axes.set_xticks([1, *range(5, len(rank) + 1, 5)])


def _caption(found: Sequence[Spectra]) -> str:
    """Over which examples, and how many masks are behind a mean."""
    summary = found[0].summary
    masks = {len(spectra.eigenvalues.get(RANDOM, ())) for spectra in found} - {0}
    drawn = f"; random: mean of {max(masks)} masks (markers) and each" if masks else ""
    bars = "\nbars: standard error of new examples, as many as these" * any(spectra.errors for spectra in found)
    return f"{summary['samples']:,} {summary['split']} examples{drawn}{bars}"


def _spectra(group: Group, own: Any, name: str, summary: dict[str, Any]) -> Spectra:
    operators, values = group["operator"][()], group["eigenvalues"][own]  # (operator, rank)
    kinds = [_kind(operator) for operator in operators]
    found = {kind: values[[each == kind for each in kinds]] for kind in dict.fromkeys(kinds)}
    return Spectra(name, summary, found, _errors(summary))


def _errors(summary: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    entries = {each["name"]: each for each in summary.get("operators", [])}
    entries[RANDOM] = summary.get("random_masks") or {}
    known = {name: each["data_stderr_new"] for name, each in entries.items() if each.get("data_stderr_new")}
    return {name: np.array(errors["eigenvalues"]) for name, errors in known.items()}


def _kind(operator: str) -> str:
    return RANDOM if operator.startswith(RANDOM) else operator


if __name__ == "__main__":
    command(draw, "survivors_spectrum", __doc__ or "", Choosing)
