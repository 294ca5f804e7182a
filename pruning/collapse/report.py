"""What a person reads of `python -m pruning.collapse`."""

from __future__ import annotations

from typing import Any

from minima.store.hdf5 import record
from pruning.collapse.numbers import FOUND, WHOLE


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each method, and what it means."""
    weights, layers, largest = (summary[number.key] for number in WHOLE)
    lines = [
        record.table(FOUND, [each | {"name": name} for name, each in summary["methods"].items()], named="method"),
        "",
        f"With so many of the {weights:,} weights kept a layer is empty, with one more none is; sought as if collapse",
        "were monotone, which over rounds it need not be. Nothing was trained. must be: yes where fewer weights are",
        f"kept than there are layers ({layers}; at a compression above {largest:,.6g}): any method would empty one.",
    ]
    return "\n".join(lines)
