"""Basins, saddles and curvature of a loss surface that was measured: `python -m landscape.topology SURFACE.h5`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from landscape.grid import AXES
from store.command import BadInput, Command, Report, note, render_table, run

if TYPE_CHECKING:
    from landscape.drawn_surface import DrawnSurface
    from store.results import Results

SHOWN = 12
"""basins in the table; the file and --json have all"""


@dataclass(frozen=True, kw_only=True)
class Topology(Command):
    """Flags of `python -m landscape.topology`."""

    surface: tyro.conf.Positional[Path]
    """results file of landscape.surface"""
    prominence: float | None = None
    """nat: what is less deep is no basin of its own (default: the estimated errors of minimum and saddle together; of
    an exact surface 1 % of the rise from the lowest to the median loss)"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """results file (default: beside the surface, STEM.topology.h5)"""
    overwrite: bool = False
    """replace a file that was made otherwise"""


def main(arguments: Topology) -> Report:
    """Find the shape of every surface in the file."""
    from landscape.drawn_surface import read_surfaces
    from store.files import check_distinct, check_writable, sha256
    from store.results import Identity, create, find

    if arguments.prominence is not None and not 0 <= arguments.prominence < float("inf"):
        raise BadInput(f"--prominence {arguments.prominence}: expected a loss in nat, at least 0, such as 0.01")
    surfaces, hashes = read_surfaces(arguments.surface)
    target = arguments.out or arguments.surface.with_name(f"{arguments.surface.stem}.topology.h5")
    check_writable(target)
    check_distinct(target, [arguments.surface])
    deciding = {"surface": sha256(arguments.surface), "prominence": arguments.prominence}
    identity = Identity("topology", hashes, deciding)
    stored = find(target, identity, arguments.overwrite)
    reused = stored is not None
    names = [surface.checkpoint for surface in surfaces]
    if stored is None:
        with create(target, identity, names, {}, arguments.overwrite) as results:
            _fill(results, surfaces, arguments.prominence)
            stored = results.finish()
    else:
        note(f"{target} holds this result already: reusing it")
    return _report(arguments.surface, names, hashes, stored["checkpoints"], {"out": str(target), "reused": reused})


def table(summary: dict[str, Any]) -> str:
    """What a person reads of one surface."""
    rows = [_row(number, basin) for number, basin in enumerate(summary["basins"], 1)]
    head = ["basin", "minimum at", "loss", "depth", "merges with", "at", "share of the grid", "minimum at the edge"]
    walls = f", {summary['walls']} of them not finite: walls" if summary["walls"] else ""
    lines = [f"{' x '.join(map(str, summary['shape']))} points{walls}"]
    if summary["largest_loss_error"] is not None:
        lines.append(f"estimated, not exact: errors of the loss up to {summary['largest_loss_error']:.3g} nat")
    lines += ["", render_table(head, rows[:SHOWN])]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} shallower ones")
    share = summary["centre_share"]
    where = f"in basin {summary['centre_basin']}, {share:.1%} of the grid" if share is not None else "on a wall"
    lines += ["", f"the network is {where}; valleys closed around a hill: {summary['loops']}", _curvature(summary)]
    if summary["convex_share"] is not None:
        lines.append(f"convex at {summary['convex_share']:.1%} of the inner points")
    return "\n".join(lines)


def _fill(results: Results, surfaces: list[DrawnSurface], prominence: float | None) -> None:
    """Arrays have room for the most basins that one of the surfaces has."""
    from landscape.shape import find_shape

    start = time.perf_counter()
    shapes = [find_shape(surface, prominence) for surface in surfaces]
    seconds = (time.perf_counter() - start) / len(shapes)
    basins, loops = (max(numbers) for numbers in zip(*(shape.counts for shape in shapes), strict=True))
    for index, shape in enumerate(shapes):
        shape.write(results.place(index), (basins, loops))
        results.mark_done(index, shape.summary() | {"seconds": seconds, "compile_seconds": 0.0})


def _report(
    surface: Path, names: list[str], hashes: list[str], each: list[dict[str, Any]], where: dict[str, Any]
) -> Report:
    if len(each) == 1:
        head = {"surface": str(surface), "checkpoint": names[0], "sha256": hashes[0]}
        return Report(head | each[0] | where, table(each[0]))
    merged = {key: [summary[key] for summary in each] for key in each[0]}
    text = "\n\n".join(f"{name}\n{table(summary)}" for name, summary in zip(names, each, strict=True))
    return Report({"surface": str(surface), "checkpoint": names, "sha256": hashes} | merged | where, text)


def _row(number: int, basin: dict[str, Any]) -> list[Any]:
    saddle = basin["saddle"]
    edge = "yes" if basin["at_edge"] else "no"
    return [
        number,
        _place(basin),
        basin["loss"],
        basin["depth"],
        basin["merges_with"],
        saddle and _place(saddle),
        f"{basin['share']:.1%}",
        edge,
    ]


def _place(point: dict[str, float]) -> str:
    return ", ".join(f"{point[axis]:.3g}" for axis in AXES if axis in point)


def _curvature(summary: dict[str, Any]) -> str:
    if summary["curvatures"] is None:
        return "curvature at the centre: not known (near the edge or a wall, or the directions are parallel)"
    values = " and ".join(f"{value:.4g}" for value in summary["curvatures"])
    text = f"curvature at the centre {values} nat for a squared unit of distance"
    if summary["condition"] is not None:
        text += f", condition {summary['condition']:.3g}"
    if summary["orientation"] is not None:
        text += f", flattest at {summary['orientation']:.0f} degrees from the first direction"
    return text


if __name__ == "__main__":
    run(Topology, main, prog="python -m landscape.topology", description=__doc__ or "")
