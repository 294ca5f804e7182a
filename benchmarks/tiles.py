"""Convolutions in tiles beside oneDNN's: time and error of values and both adjoints, for the layers of two networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.kept import keep
from minima.store.command import Command, Report, render_table, run

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = ((16, 32), (32, 16), (64, 8), (64, 32), (128, 16), (256, 8), (512, 4))
"""channels, as many filters, and pixels a side: three of ResNet-20, four of VGG-16"""
WORKS = ("values", "to images", "to kernel")
OUT = Path("out/benchmarks/tiles.json")
COLUMNS = ("channels", "side", "work", "direct, ms", "tiles, ms", "tiles / direct", "error, direct", "error, tiles")


@dataclass(frozen=True, kw_only=True)
class Tiles(Command):
    """What convolutions cost in tiles, and how exact they are."""

    images: int = 64
    """at once"""
    rounds: int = 15
    """how often each is timed, in turn"""
    threads: int = 1
    """of torch"""


def main(arguments: Tiles) -> Report:
    """Time every layer; write the JSON and the table as Markdown; return the table."""
    import torch

    torch.set_num_threads(arguments.threads)
    with torch.no_grad():
        rows = [row for layer in LAYERS for row in _costs(*layer, arguments)]
    setting = {"images": arguments.images, "rounds": arguments.rounds, "threads": arguments.threads}
    summary: dict[str, Any] = setting | {"torch": torch.__version__, "layers": rows}
    cells = [list(row.values()) for row in rows]
    keep(OUT, summary, COLUMNS, cells)
    note = f"Medians of {arguments.rounds} rounds, {arguments.images} images at once, {arguments.threads} thread(s)."
    errors = "Errors: Euclidean, relative, against double precision."
    return Report(summary, f"{render_table(COLUMNS, cells)}\n\n{note} {errors} Written to {OUT} and .md")


def _costs(channels: int, side: int, arguments: Tiles) -> list[dict[str, Any]]:
    import torch

    from benchmarks.alternate import alternate, ratios
    from landscape.passes import winograd

    torch.manual_seed(0)
    x, y = (_images(arguments.images, channels, side) for _ in range(2))
    kernel = torch.randn(channels, channels, 3, 3).contiguous(memory_format=torch.channels_last) / channels**0.5
    exact = [work(x.double(), y.double(), kernel.double()) for work in _works()]
    rows = []
    for place, (name, work) in enumerate(zip(WORKS, _works(), strict=True)):

        def direct(work: Callable[..., Tensor] = work) -> Tensor:
            with winograd.refused():
                return work(x, y, kernel)

        def tiles(work: Callable[..., Tensor] = work) -> Tensor:
            return work(x, y, kernel)

        seconds = alternate({"direct": direct, "tiles": tiles}, arguments.rounds)
        milliseconds = {way: 1000 * median(times) for way, times in seconds.items()}
        times = {**milliseconds, "relative": ratios(seconds, "direct")["tiles"]}
        scale = exact[place].norm()
        errors = {
            f"error_{found.__name__}": ((found() - exact[place]).norm() / scale).item() for found in (direct, tiles)
        }
        rows.append({"channels": channels, "side": side, "work": name, **times, **errors})
    return rows


def _works() -> list[Callable[[Tensor, Tensor, Tensor], Any]]:
    from landscape.passes.convolution import Geometry

    same = Geometry([1, 1], [1, 1], [1, 1], 1)
    return [
        lambda x, _, kernel: same.convolve((x, kernel)),
        lambda x, y, kernel: same.adjoints(y, kernel, x, (True, False, False))[0],
        lambda x, y, kernel: same.adjoints(y, kernel, x, (False, True, False))[1],
    ]


def _images(count: int, channels: int, side: int) -> Tensor:
    import torch

    return torch.randn(count, channels, side, side).contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    run(Tiles, main, prog="python -m benchmarks.tiles")
