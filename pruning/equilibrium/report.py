"""What a person reads of `python -m pruning.equilibrium`."""

from __future__ import annotations

from typing import Any

from minima.store.table import render_table
from minima.zoo.measuring.level_text import spoken_loss, spoken_score


def table(summary: dict[str, Any]) -> str:
    """A line for each layer, the sums, and what they mean."""
    rows = [[layer["name"], layer["neurons"], f"{layer['updated']:.2%}"] for layer in summary["layers"]]
    threshold = summary["threshold"]
    kind = "full training" if threshold is None else f"neurons frozen below {threshold:g}"
    lines = [
        f"{kind}, {summary['epochs']} epochs: {spoken_loss(summary)}, {spoken_score(summary)} on "
        f"{summary['samples']:,} examples ({summary['split']})",
        f"{summary['skipped_updates']:,} of {summary['updates']:,} updates of neurons left out; backward passes take "
        f"{summary['backward_share']:.2%} of {summary['full_backward_multiply_adds']:.4g} multiply-adds",
        "",
        render_table(["layer", "neurons", "updated"], rows),
        "",
        "updated: share of the layer's neurons that trained, over all epochs. Multiply-adds of backward passes without",
        "the gradients of frozen neurons' weights, those by inputs in full: what arithmetic that skips them takes.",
        "Here they are computed and thrown away.",
    ]
    return "\n".join(lines)
