"""What a person reads of `python -m pruning.watermark`."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table


def text(summary: dict[str, Any]) -> str:
    """Loss and score before and after, and whether the bits are there."""
    rows = [
        ["before", summary["before_loss"], summary["before_score"]],
        ["with the watermark", summary["loss"], summary["score"]],
    ]
    table = render_table(["network", "test loss", f"test {summary['score_name'] or 'score'}"], rows)
    return (
        f"{table}\n\n{summary['out']}: {summary['bits']} bits in as many weights, {summary['wrong']:.2%} read wrong.\n"
        f"The file holds the key {summary['key']}: keep it, and hand on what python -m pruning.export makes of it"
    )
