"""Sharpness (scale-dependent, invariant) against test error, with rank correlation within cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import command
from figures.drawing.reads import Reads
from figures.drawing.style import WIDTH, Look, looks, plain_ticks, save, styled
from figures.reading.evidence import Key, errors, sharpness
from figures.reading.study_results import read_all
from figures.statistics.correlation import WithinCells, within_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {
    "lambda_max": "λ₁ of the Hessian (depends on scale)",
    "adaptive_lambda_max": "adaptive λ₁ (invariant to rescaling)",
}
Points = Mapping[Key, tuple[float, float]]
READS = Reads(measure="sharpness", arrays=("lambda_max", "adaptive_lambda_max"), study=True)


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Draw from `landscape.sharpness` and `entropy.psp --split test` results: finished networks only."""
    results = read_all(inputs)
    error = errors(result for result in results if result.measure == "psp")
    curvature = [result for result in results if result.measure == "sharpness"]
    points = {measure: _points(sharpness(curvature, measure), error) for measure in MEASURES}
    sparsities = sorted({key.sparsity for key in points["lambda_max"]})
    drawn_as = looks(sorted({key.arm for key in points["lambda_max"]}))
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(
            2, len(sparsities), figsize=(WIDTH, 5.6), sharex="row", sharey="col", squeeze=False
        )
        for row, (measure, label) in zip(panels, MEASURES.items(), strict=True):
            for axes, sparsity in zip(row, sparsities, strict=True):
                _panel(axes, {key: xy for key, xy in points[measure].items() if key.sparsity == sparsity}, drawn_as)
                axes.set_title(f"{100 * sparsity:g} % removed")
            row[len(row) // 2].set_xlabel(label)
            row[0].set_ylabel("test error (%)")
        for axes in panels.flat:  # which share their limits
            plain_ticks(axes.xaxis)
            plain_ticks(axes.yaxis)
        named = {
            label: handle
            for axes in panels.flat
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        legend_below(figure, list(named.values()), list(named), 3, _caption(points))
        return save(figure, out)


def _points(values: Mapping[Key, float], error: Mapping[Key, float]) -> Points:
    """(sharpness, error) of every finished network that has both."""
    return {
        key: (value, error[key])
        for key, value in values.items()
        if key.stage == "finished" and key in error and value > 0
    }


def _panel(axes: Axes, points: Points, drawn_as: Mapping[str, Look]) -> None:
    for arm in sorted({key.arm for key in points}, key=lambda arm: drawn_as[arm].label):
        style = drawn_as[arm]
        x, y = zip(*(xy for key, xy in points.items() if key.arm == arm), strict=True)
        axes.plot(x, y, style.marker, color=style.colour, label=style.label, markersize=4, alpha=0.85, mew=0)
    axes.loglog()


def correlation(points: Points) -> WithinCells:
    """Kendall's tau within cells of sparsity and arm."""
    cells = [(key.sparsity, key.arm) for key in points]
    seeds = [key.seed for key in points]
    x, y = zip(*points.values(), strict=True)
    return within_cells(cells, seeds, x, y)


def _caption(points: Mapping[str, Points]) -> str:
    """The correlations in words."""
    lines = []
    for measure, label in MEASURES.items():
        found = correlation(points[measure])
        lines.append(
            f"{label.partition(' (')[0]}: mean τ within {len(found.per_cell)} cells of sparsity and method "
            f"{found.mean:+.2f}, 95 % interval {found.low:+.2f} to {found.high:+.2f}"
        )
    seeds = len({key.seed for key in points["lambda_max"]})
    return "\n".join(
        [*lines, f"Kendall's τ; interval: {found.resamples} resamples of the {seeds} seeds; a point is a seed"]
    )


if __name__ == "__main__":
    command(draw, "sharpness_against_error", __doc__ or "")
