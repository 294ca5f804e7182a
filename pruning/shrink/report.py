"""What is said of a network that was made smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minima.store.table import render_table


def text(summary: Mapping[str, Any]) -> str:
    """What a person reads of a shrunk network."""
    units, removed = summary["units"], summary["units_removed"]
    lines = [f"{summary['out']}: {_gone(summary)}"]
    if removed:
        rows = [[name, f"{units[name]['before']:,}", f"{units[name]['after']:,}"] for name in removed]
        lines += ["", render_table(["layer", "units", "left"], rows), ""]
    elif not summary["merged"]:
        lines += _nothing_gone(summary)
    lines += [f"{first} computes what {second} made of it as well" for first, second in summary["merged"]]
    lines += _static(summary)
    for key, name in (("parameters", "parameters"), ("multiply_adds", "multiply-adds"), ("bytes", "bytes on disk")):
        lines.append(f"{name}: {summary[key]['before']:,} -> {summary[key]['after']:,}")
    times = summary["latency"]
    before, after = (f"{times[when] * 1e3:.3g} ms" for when in ("before", "after"))
    lines.append(f"forward pass over {times['examples']} examples: {before} -> {after}")
    apart = summary["max_difference"]
    lines.append(f"outputs differ by {apart['float64']:.1e} at most in float64, {apart['float32']:.1e} in float32")
    if summary["constants_kept"]:
        lines.append(f"constant units that stay, where padding ends them: {_counts(summary['constants_kept'])}")
    return "\n".join(lines)


def _nothing_gone(summary: Mapping[str, Any]) -> list[str]:
    """Why no unit went: layers that no unit can leave, and that all others are in use."""
    reasons = {name or "the network": why for name, why in summary["held"].items() if why != "the network's output"}
    held = [f"{name} ({why})" for name, why in reasons.items()]
    more = f" and {len(held) - 4} more" if len(held) > 4 else ""
    said = [f"The units of these layers stay: {'; '.join(held[:4])}{more}"] if held else []
    if not summary["units"] or summary["constants_kept"]:
        return said
    why = "a mask over single weights makes no layer smaller" if summary["masked"] else "the network has no mask"
    units = "Every other unit" if held else "Every unit"
    return [
        *said,
        f"{units} has inputs and is read: {why}. Prune whole units to remove some, for example with "
        "python -m pruning filters --units 0.5.",
    ]


def _static(summary: Mapping[str, Any]) -> list[str]:
    """What was guessed from examples or proven within bounds, and what it does to outputs."""
    apart = summary["difference_by_static"]
    if apart is None:
        return []
    units, idle, dependent = summary["static_units"], summary["idle_rectifiers"], summary.get("dependent_units", {})
    others = "" if "held_out" not in apart else f", by {apart['held_out']:.3g} on the other split"
    return [
        f"always off, and removed: {_counts(units) or 'no unit'}; always on, and put out: {', '.join(idle) or 'none'}",
        f"always on and combinations of others, which took their place: {_counts(dependent) or 'no unit'}",
        f"by that alone outputs differ by {apart['examples']:.1e} at most on the examples looked at{others}",
    ]


def _gone(summary: Mapping[str, Any]) -> str:
    removed = sum(summary["units_removed"].values())
    total = sum(each["before"] for each in summary["units"].values())
    return f"{removed:,} of {total:,} removable units are gone"


def _counts(found: Mapping[str, int]) -> str:
    shown = [f"{name} {count}" for name, count in list(found.items())[:6]]
    return ", ".join(shown) + (f" and {len(found) - 6} more layers" if len(found) > 6 else "")
