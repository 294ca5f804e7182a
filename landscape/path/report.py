"""What a person reads of a path."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table

STATISTICS = {"interpolate": "interpolated", "re-estimate": "re-estimated at each t", None: "none"}


def table(summary: dict[str, Any]) -> str:
    """A line for each t, and what is to be said of all."""
    rows = [
        [f"{t:.4g}", loss, f"{error:.2%}"]
        for t, loss, error in zip(summary["t"], summary["losses"], summary["errors"], strict=True)
    ]
    return "\n".join(
        [
            render_table(["t", "loss", "error"], rows),
            "",
            f"barrier: loss {summary['barrier']['loss']:.4g} nat, error {100 * summary['barrier']['error']:.2f} points "
            "above the chord between the ends",
            f"highest above the worse end: loss {summary['rise_over_ends']['loss']:.4g} nat, "
            f"error {100 * summary['rise_over_ends']['error']:.2f} points",
            *_alignment(summary),
            *([f"{summary['kind']}: bend trained for {bend} epochs"] if (bend := summary["bend_epochs"]) else []),
            f"distance of the weights {summary['distance']:.4g}; batch-norm statistics: "
            f"{STATISTICS[summary['batch_norm']]}; {summary['samples']:,} examples ({summary['split']})",
            "Read a barrier against that between siblings: the same method from the same start, another data order",
        ]
    )


def _alignment(summary: dict[str, Any]) -> list[str]:
    if summary["align"] == "none":
        return []
    lines = [
        f"aligned: {summary['moved_units']:,} of {summary['exchangeable_units']:,} exchangeable units "
        f"in {summary['exchangeable_groups']} groups moved; squared distance of the weights "
        f"{summary['distance_before'] ** 2:.4g} before"
    ]
    if summary["not_aligned"]:
        lines.append(f"kept their order, being no units that can be told apart: {', '.join(summary['not_aligned'])}")
    return lines
