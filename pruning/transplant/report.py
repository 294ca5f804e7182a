"""What a person reads of `python -m pruning.transplant`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minima.store.command import render_table


def text(summary: Mapping[str, Any], sizes: Mapping[str, int]) -> str:
    """How many weights of each layer are left."""
    rows = [[name, sizes[name], left] for name, left in summary["layers"].items()]
    table = render_table(["layer", "weights", "left"], rows)
    return f"{table}\n\n{summary['out']}: sparsity {summary['sparsity']:.6g}"
