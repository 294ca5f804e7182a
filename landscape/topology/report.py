"""What a person reads of `python -m landscape.topology`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from landscape.surface.grid import AXES
from minima.store.command import Report, render_table
from minima.store.table import in_unit

SHOWN = 12
"""basins in the table; the file and --json have all"""


def table(summary: dict[str, Any]) -> str:
    """What a person reads of one surface."""
    rows = [_row(number, basin) for number, basin in enumerate(summary["basins"], 1)]
    head = ["basin", "minimum at", "loss", "depth", "merges with", "at", "share of the grid", "minimum at the edge"]
    walls = f", {summary['walls']} of them not finite: walls" if summary["walls"] else ""
    lines = [f"{' x '.join(map(str, summary['shape']))} points{walls}"]
    if summary["largest_loss_error"]:
        largest = in_unit(f"{summary['largest_loss_error']:.3g}", summary.get("loss_unit", "nat"))
        lines.append(f"estimated, not exact: errors of the loss up to {largest}")
    lines += ["", render_table(head, rows[:SHOWN])]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} shallower ones")
    share = summary["centre_share"]
    where = f"in basin {summary['centre_basin']}, {share:.1%} of the grid" if share is not None else "on a wall"
    lines += ["", f"the network is {where}; valleys closed around a hill: {summary['loops']}", _curvature(summary)]
    if summary["convex_share"] is not None:
        lines.append(f"convex at {summary['convex_share']:.1%} of the inner points")
    return "\n".join(lines)


def report(
    surface: Path, names: list[str], hashes: list[str], each: list[dict[str, Any]], where: dict[str, Any]
) -> Report:
    """What the command says of all surfaces in a file: of several a list for each number, and their tables in turn."""
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
    text = f"curvature at the centre {in_unit(values, summary.get('loss_unit', 'nat'))} for a squared unit of distance"
    if summary["condition"] is not None:
        text += f", condition {summary['condition']:.3g}"
    if summary["orientation"] is not None:
        text += f", flattest at {summary['orientation']:.0f} degrees from the first direction"
    return text
