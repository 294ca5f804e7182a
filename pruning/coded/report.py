"""What a person reads of `python -m pruning.coded`."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table
from minima.zoo.measuring.level_text import spoken_loss, spoken_score


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each width or step, and what it means."""
    rows = [_row(point) for point in summary["points"]]
    by = "step" if summary["points"][0]["bits"] is None else "bits"
    score = summary["score_name"] or "score"
    headers = (by, "not zero", "mask bits", "value bits", "ideal bytes", "coded bytes", "smaller by", "loss", score)
    for row, point in zip(rows, summary["points"], strict=True):
        row.insert(0, point[by])
        row.insert(6, f"{summary['float_bytes'] / point['coded_bytes']:.3g}x")
    lines = [
        f"{summary['weights']:,} weights, {100 * summary['sparsity']:.5g}% of them removed; as it is the network takes "
        f"{summary['float_bytes']:,} bytes",
        f"and has {spoken_loss(summary)}, {spoken_score(summary)} on {summary['samples']:,} examples "
        f"({summary['split']})",
        "",
        render_table(headers, rows),
        "",
        "mask bits: entropy of which weights are zero, whole rows and columns by themselves; value bits: of the rest.",
        f"ideal: both, and {summary['other_bytes']:,} bytes of tensors that are not quantised. coded: by the Huffman",
        "coder of zlib; loss and score are those of the network decoded from these bytes.",
    ]
    return "\n".join(lines)


def _row(point: dict[str, Any]) -> list[Any]:
    mask = round(point["line_bits"] + point["mask_bits"])
    sizes = [point["nonzero"], mask, round(point["value_bits"]), round(point["ideal_bytes"]), point["coded_bytes"]]
    return [*sizes, point["loss"], point["score"]]
