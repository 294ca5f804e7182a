"""What a person reads of `python -m landscape.successive`."""

from __future__ import annotations

from typing import Any

from landscape.path.report import points
from minima.store.command import render_table


def table(summary: dict[str, Any]) -> str:
    """The table that a person reads, a line for each pair of networks."""
    heads = ["from", "to", "sparsity", "loss barrier", "error barrier (points)"]
    columns = [summary["sparsities"], summary["barrier"]["loss"], summary["barrier"]["error"]]
    rows = [
        [*names, f"{removed:.2%}", loss, points(error)]
        for names, removed, loss, error in zip(summary["pairs"], *columns, strict=True)
    ]
    said = "Read them against a sibling barrier: name two siblings at the end, and add --siblings"
    if summary["above_siblings"]:
        heads.append("error above siblings")
        for row, error in zip(rows, summary["above_siblings"]["error"], strict=True):
            row.append(points(error, "+"))
        said = "the last line is the siblings'"
    return "\n".join([render_table(heads, rows), "", f"{said}; {summary['samples']:,} examples ({summary['split']})"])
