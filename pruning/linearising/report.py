"""What is said of a network whose layers were taken out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minima.store.table import render_table


def text(summary: Mapping[str, Any]) -> str:
    """What a person reads: a line a round, and what the network costs before and after."""
    rows, before = [], []
    for place, each in enumerate(summary["rounds"], 1):
        new = [name for name in each["out"] if name not in before]
        lowest = min(each["entropies"].values(), default=None)
        rows.append(
            [place, lowest, ", ".join(new) or "-", each["quality"], "yes" if each["counts"] else "no, taken back"]
        )
        before = each["out"]
    lines = [render_table(["round", "lowest entropy", "put out", "validation score", "counts"], rows), ""]
    path = summary["critical_path"]
    for key in ("layers", "activations"):
        lines.append(f"{key} on the longest path: {path['before'][key]} -> {path['after'][key]}")
    for key, name in (("parameters", "parameters"), ("multiply_adds", "multiply-adds")):
        lines.append(f"{name}: {summary[key]['before']:,} -> {summary[key]['after']:,}")
    times = summary["latency"]
    shown = " -> ".join(f"{times[when] * 1e3:.3g} ms" for when in ("before", "after"))
    lines.append(f"forward pass over {times['examples']} examples: {shown}")
    score = "" if summary["score"] is None else f"; test {summary['score_name']} {summary['score']:.4g}"
    lines.append(f"{summary['out']}: {len(summary['put_out'])} rectifiers put out{score}")
    return "\n".join(lines)
