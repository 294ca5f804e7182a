"""What a person reads of `python -m pruning.collapse`."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table
from pruning.collapse.numbers import FOUND, WHOLE


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each method, and what it means."""
    rows = [[name, *(each[key] for key in FOUND)] for name, each in summary["methods"].items()]
    headers = ("method", "weights kept", "compression", "log10", "first empty layer", "must be")
    weights, layers, largest = (summary[key] for key in WHOLE)
    lines = [
        render_table(headers, rows),
        "",
        f"With so many of the {weights:,} weights kept a layer is empty, with one more none is; sought as if collapse",
        "were monotone, which over rounds it need not be. Nothing was trained. must be: yes where fewer weights are",
        f"kept than there are layers ({layers}; at a compression above {largest:,.6g}): any method would empty one.",
    ]
    return "\n".join(lines)
