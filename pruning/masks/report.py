"""What a person reads of `python -m pruning.masks`."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table
from minima.store.hdf5 import record
from minima.store.hdf5.record import Number
from minima.zoo.measuring.level_text import spoken_score
from pruning.masks.numbers import COUNTS, PAIRWISE


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each layer, the sums, and what they mean."""
    empty = summary["empty_layers"]
    lines = [
        f"{100 * summary['sparsity']:.5g}% of {summary['total']:,} weights removed, "
        f"{100 * summary['effective_sparsity']:.5g}% removed or on no path from the input to the output",
        f"{spoken_score(summary)} on {summary['samples']:,} examples ({summary['split']})",
        "",
        record.table(COUNTS, [*summary["layers"], summary | {"name": "all"}], named="weight"),
        "",
        "cut off: units that no path from the input leads to (they compute a constant) or from which none leads to the",
        "output. Multiply-adds: of convolutions and linear layers, for one example, if removed weights cost nothing.",
        f"empty layers: {', '.join(empty)}" if empty else "no layer is empty",
    ]
    if "jaccard" in summary:
        shown = [[spoken(number), *summary[number.key]] for number in PAIRWISE]
        lines += ["", "Beside the checkpoints in the order of the command line:"]
        lines.append(render_table(["", *(str(n + 1) for n in range(len(summary["jaccard"])))], shown))
        lines += ["", *(f"{spoken(number)}: {number.long_name}" for number in PAIRWISE)]
    return "\n".join(lines)


def spoken(number: Number) -> str:
    """A number's name in words."""
    return number.name.replace("_", " ")
