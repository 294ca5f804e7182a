"""What a person reads of `python -m landscape.instability`."""

from __future__ import annotations

from typing import Any

from landscape.path.report import points
from minima.store.command import render_table


def _units(summary: dict[str, Any]) -> str:
    unit = summary.get("loss_unit", "nat")
    return "in the own unit of the loss and " if unit == "1" else f"in {unit} and "


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each pair, by the number k of epochs that it shares."""
    rows = sorted(
        zip(summary["shared_epochs"], summary["barrier"]["loss"], summary["barrier"]["error"], strict=True),
    )
    cells = [[epochs, loss, points(error)] for epochs, loss, error in rows]
    return "\n".join(
        [
            render_table(["shared epochs", "loss barrier", "error barrier (points)"], cells),
            "",
            f"largest rise above the chord between siblings, {_units(summary)}in percentage points of "
            f"{summary['samples']:,} examples ({summary['split']}), at {len(summary['t'])} values of t",
        ]
    )
