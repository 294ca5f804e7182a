"""`python -m benchmarks.surfaces_picture`: what a point of a surface costs, from what benchmarks.surfaces wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from benchmarks.surfaces import FLOOR, OUT
from figures.drawing.style import WIDTH, save, spoken_model, styled
from minima.store.command import BadInput, Command, Report, run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS, OTHERS = "#D55E00", "#7A8B99"


@dataclass(frozen=True, kw_only=True)
class SurfacesPicture(Command):
    """Draw the comparison of `python -m benchmarks.surfaces`."""

    results: tyro.conf.Positional[tuple[Path, ...]] = (OUT,)
    """what it wrote, for networks together or one by one"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("docs/gallery/16-surface-points")
    """where to draw, without an ending: .svg and .png are added"""


def main(arguments: SurfacesPicture) -> Report:
    """Draw, and say where."""
    found: dict[str, Any] = {}
    for path in arguments.results:
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file. Type: make peers")
        found |= json.loads(path.read_text())["networks"]
    written = [str(path) for path in draw(found, arguments.out)]
    return Report({"written": written}, "\n".join(written))


def draw(networks: Mapping[str, Sequence[Mapping[str, Any]]], out: Path) -> list[Path]:
    """A panel for each network: seconds by those of plain passes."""
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, len(networks), figsize=(WIDTH, 2.2), sharey=True, squeeze=False)
        for axes, (name, rows) in zip(panels[0], networks.items(), strict=True):
            _panel(axes, [row for row in rows if row["contestant"] != FLOOR][::-1])
            axes.set_title(spoken_model(name))
        figure.supxlabel("seconds for a point, relative to plain passes of the module (line)", fontsize=8)
        return save(figure, out)


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    names, values = [row["contestant"] for row in rows], [row["relative"] for row in rows]
    colours = [OURS if name.startswith("minima") else OTHERS for name in names]
    axes.barh(names, values, color=colours, height=0.6)
    for name, value in zip(names, values, strict=True):
        axes.annotate(
            f"{value:.2f}", (max(value, 1.0), name), (3, 0), textcoords="offset points", va="center", fontsize=7.5
        )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlim(0, 1.3 * max(values))
    axes.tick_params(axis="y", length=0)


if __name__ == "__main__":
    run(SurfacesPicture, main, prog="python -m benchmarks.surfaces_picture")
