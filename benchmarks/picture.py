"""`python -m benchmarks.picture`: what curvature costs beside other tools, from out/benchmarks/peers.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from benchmarks.row import EIGENVALUES, FLOOR, OURS, PRODUCT, TOLERANCE, TRACE
from figures.drawing.style import WIDTH, plain_ticks, save, spoken_model, styled
from minima.store.command import BadInput, Command, Report, run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {PRODUCT: "Hessian-vector product", TRACE: "probe of the trace", EIGENVALUES: "top 5 eigenvalues to 1e-3"}
COLOUR, OTHERS = "#D55E00", "#7A8B99"
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Picture(Command):
    """Draw the comparison of `python -m benchmarks.peers`."""

    results: Path = Path("out/benchmarks/peers.json")
    """what it wrote"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("docs/gallery/15-peers")
    """where to draw, without an ending: .svg and .png are added"""


def main(arguments: Picture) -> Report:
    """Draw, and say where."""
    if not arguments.results.is_file():
        raise BadInput(f"{arguments.results}: there is no such file. Type: make peers")
    written = [str(path) for path in draw(json.loads(arguments.results.read_text()), arguments.out)]
    return Report({"written": written}, "\n".join(written))


def draw(results: Mapping[str, Any], out: Path) -> list[Path]:
    """A row of panels for each network: seconds by ours, for each work that was measured and each tool."""
    networks = results["networks"]
    measured = {row["work"] for found in networks.values() for row in found["rows"]}
    titles = {work: title for work, title in TITLES.items() if work in measured}
    with styled():
        import matplotlib.pyplot as plt

        size = (WIDTH, 0.7 + 1.6 * len(networks))
        figure, panels = plt.subplots(len(networks), len(titles), figsize=size, sharey=True, squeeze=False)
        for line, (name, found) in zip(panels, networks.items(), strict=True):
            for axes, work in zip(line, titles, strict=True):
                _panel(axes, cheapest(found["rows"], work)[::-1])
            model, _, data = name.partition("-")
            spoken = " on ".join(filter(None, (spoken_model(model), data.upper().replace("-SEED", ", seed "))))
            line[0].set_title(f"{spoken}, {found['images']:,} images", loc="left")
        for axes, title in zip(panels[-1], titles.values(), strict=True):
            axes.set_xlabel(title)
            axes.tick_params(axis="y", length=0)
        figure.supxlabel("seconds relative to ours, logarithmic. Open: products counted × the time of one", fontsize=8)
        return save(figure, out)


def cheapest(rows: Sequence[Row], work: str) -> list[Row]:
    """Of each tool the fastest way that gives the work (eigenvalues: to the tolerance), in the order of `rows`.

    >>> rows = [{"work": PRODUCT, "tool": "a", "seconds": s, "relative": s, "error": None} for s in (2.0, 1.0)]
    >>> [row["seconds"] for row in cheapest(rows, PRODUCT)]
    [1.0]
    """
    best: dict[str, Row] = {}
    for row in rows:
        fits = row["work"] == work and row["tool"] != FLOOR and (row["error"] or 0.0) <= TOLERANCE
        if fits and (row["tool"] not in best or row["seconds"] < best[row["tool"]]["seconds"]):
            best[row["tool"]] = row
    return list(best.values())


def _panel(axes: Axes, rows: Sequence[Row]) -> None:
    """From ours, at 1, to the others."""
    for row in rows:
        value, tool = row["relative"], row["tool"]
        colour = COLOUR if tool.startswith(OURS) else OTHERS
        axes.plot([1, value], [tool, tool], color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot(value, tool, "o", color=colour, markerfacecolor="white" if row["counted"] else colour, markersize=6)
        text = f"{value:.2g}×" if value < 10 else f"{value:.0f}×"
        axes.annotate(text, (max(1.0, value), tool), (6, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(1, color=COLOUR, linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    largest, smallest = (f(row["relative"] for row in rows) for f in (max, min))
    axes.set_xlim(0.8 * smallest, largest * (largest / smallest) ** 0.35 * 1.2)
    plain_ticks(axes.xaxis)
    axes.minorticks_off()
    axes.margins(y=0.12)


if __name__ == "__main__":
    run(Picture, main, prog="python -m benchmarks.picture")
