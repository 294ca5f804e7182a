"""What a person reads of a path."""

from __future__ import annotations

import math
from typing import Any

from minima.store.command import render_table
from minima.store.table import in_unit

STATISTICS = {"interpolate": "interpolated", "re-estimate": "re-estimated at each t", None: "none"}


def table(summary: dict[str, Any]) -> str:
    """A line for each t, and what is to be said of all."""
    rows = [
        [f"{t:.4g}", loss, None if no_share(error) else f"{error:.2%}"]
        for t, loss, error in zip(summary["t"], summary["losses"], summary["errors"], strict=True)
    ]
    return "\n".join(
        [
            render_table(["t", "loss", "error"], rows),
            "",
            f"barrier: {_rise(summary, 'barrier')} above the chord between the ends",
            f"highest above the worse end: {_rise(summary, 'rise_over_ends')}",
            *_alignment(summary),
            *([f"{summary['kind']}: bend trained for {bend} epochs"] if (bend := summary["bend_epochs"]) else []),
            f"distance of the weights {summary['distance']:.4g}; batch-norm statistics: "
            f"{STATISTICS[summary['batch_norm']]}; {summary['samples']:,} examples ({summary['split']})",
            "Read a barrier against that between siblings: the same method from the same start, another data order",
        ]
    )


def no_share(error: float | None) -> bool:
    """Whether there is no share of examples that is classified wrong: the loss has another score, or none.

    >>> no_share(None), no_share(float("nan")), no_share(0.5)
    (True, True, False)
    """
    return error is None or math.isnan(error)


def points(error: float | None, sign: str = "") -> str | None:
    """A difference of two shares in percentage points.

    >>> points(0.125), points(0.125, "+"), points(None)
    ('12.50', '+12.50', None)
    """
    return None if error is None or no_share(error) else f"{100 * error:{sign}.2f}"


def _rise(summary: dict[str, Any], kind: str) -> str:
    loss = in_unit(f"{summary[kind]['loss']:.4g}", summary.get("loss_unit", "nat"))
    error = points(summary[kind]["error"])
    return f"loss {loss}" + (f", error {error} points" if error is not None else "")


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
