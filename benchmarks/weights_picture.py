"""`python -m benchmarks.weights_picture`: cost against the number of weights, from out/benchmarks/weights.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from benchmarks.weights import OUT
from figures.drawing.style import WIDTH, save, styled
from minima.store.command import BadInput, Command, Report, run

PANELS = {"passes": "passes forward and backward", "peak GiB": "peak memory, GiB", "bytes a weight": "bytes a weight"}
COLOUR = "#D55E00"


@dataclass(frozen=True, kw_only=True)
class WeightsPicture(Command):
    """Draw what `python -m benchmarks.weights` measured."""

    results: Path = OUT
    """what it wrote"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("docs/gallery/34-weights")
    """where to draw, without an ending: .svg and .png are added"""


def main(arguments: WeightsPicture) -> Report:
    """Draw, and say where."""
    if not arguments.results.is_file():
        raise BadInput(f"{arguments.results}: there is no such file. Type: python -m benchmarks.weights")
    written = [str(path) for path in draw(json.loads(arguments.results.read_text()), arguments.out)]
    return Report({"written": written}, "\n".join(written))


def draw(results: Mapping[str, Any], out: Path) -> list[Path]:
    """A panel for passes, peak memory and bytes a weight; filled: the basis in float64, open: in float32."""
    sizes = results["sizes"]
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, len(PANELS), figsize=(WIDTH, 2.1))
        for axes, (key, title) in zip(panels, PANELS.items(), strict=True):
            axes.plot([each["weights"] for each in sizes], [each[key] for each in sizes], color=COLOUR, linewidth=1)
            for each in sizes:
                inside = COLOUR if each["basis"] == "float64" else "white"
                axes.plot(each["weights"], each[key], "o", color=COLOUR, markerfacecolor=inside, markersize=6)
            axes.set(xscale="log", yscale="log", title=title)
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
        for axes, key in zip(panels[:2], PANELS, strict=False):
            axes.set(yscale="linear", ylim=(0, 1.15 * max(each[key] for each in sizes)))
        panels[1].axhline(results["memory"], color="black", linewidth=0.8, linestyle=":")
        figure.supxlabel("weights; open: the basis is in float32; dotted: --memory", fontsize=8)
        return save(figure, out)


if __name__ == "__main__":
    run(WeightsPicture, main, prog="python -m benchmarks.weights_picture")
