"""What a person reads of `python -m pruning.masks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import render_table
from minima.zoo.measuring.level_text import spoken_score

if TYPE_CHECKING:
    pass
from pruning.masks.numbers import PAIRWISE


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each layer, the sums, and what they mean."""
    columns = ("total", "kept", "reachable", "units", "disconnected", "multiply_adds", "multiply_adds_reachable")
    rows = [[layer["name"], *(layer[key] for key in columns)] for layer in summary["layers"]]
    rows.append(["all", *(summary[key] for key in columns)])
    headers = ("weight", "weights", "kept", "reachable", "units", "cut off", "multiply-adds", "reachable")
    empty = summary["empty_layers"]
    lines = [
        f"{100 * summary['sparsity']:.5g}% of {summary['total']:,} weights removed, "
        f"{100 * summary['effective_sparsity']:.5g}% removed or on no path from the input to the output",
        f"{spoken_score(summary)} on {summary['samples']:,} examples ({summary['split']})",
        "",
        render_table(headers, rows),
        "",
        "cut off: units that no path from the input leads to (they compute a constant) or from which none leads to the",
        "output. Multiply-adds: of convolutions and linear layers, for one example, if removed weights cost nothing.",
        f"empty layers: {', '.join(empty)}" if empty else "no layer is empty",
    ]
    if "jaccard" in summary:
        shown = [[key.replace("_", " "), *summary[key]] for key in PAIRWISE]
        lines += ["", "Beside the checkpoints in the order of the command line:"]
        lines.append(render_table(["", *(str(n + 1) for n in range(len(summary["jaccard"])))], shown))
        lines += ["", *(f"{key.replace('_', ' ')}: {meaning}" for key, meaning in PAIRWISE.items())]
    return "\n".join(lines)
