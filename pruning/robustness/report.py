"""What a person reads of `python -m pruning.robustness`."""

from __future__ import annotations

import math
from typing import Any

from minima.store.table import format_cell, render_table
from minima.zoo.measuring.level_text import spoken_loss, spoken_score
from pruning.robustness.trial import trials


def table(summary: dict[str, Any]) -> str:
    """A line for each level of each trial, and what the numbers are."""
    known, score = trials(), summary["score_name"] or "score"
    rows: list[list[Any]] = []
    marked = any("bit_error" in taken for taken in summary["robustness"].values())
    for name, taken in summary["robustness"].items():
        for place, level in enumerate(taken["levels"]):
            numbers = [_with_error(taken, key, place) for key in ("loss", "score")]
            error = [taken.get("bit_error", {})[place] if "bit_error" in taken else None] if marked else []
            shown = "as it is" if level == known[name].clean else f"{level:g}"
            rows.append([name if not place else "", shown, *numbers, *error])
    headers = ["trial", "level", "loss", score, *(["bits wrong"] if marked else [])]
    there = [name for name in known if name in summary["robustness"]]
    lines = [
        f"{spoken_loss(summary)}, {spoken_score(summary)}, {100 * summary['sparsity']:.5g}% of the weights removed; "
        f"{summary['samples']:,} examples ({summary['split']}), seed {summary['seed']}",
        "",
        render_table(headers, rows),
        "",
        *(f"{name}: {known[name].meaning}; level: {known[name].strength}" for name in there),
        f"± standard error over draws. Before --mean and --std, {summary['input_range_note']}.",
    ]
    if "pgd" in there:
        pgd = summary["robustness"]["pgd"]
        begun = "the example itself" if pgd["start"] == "example" else f"{pgd['restarts']} random start(s)"
        lines.append(f"pgd: {pgd['steps']} steps of {pgd['step']:g} x level / {pgd['steps']} from {begun}.")
    if "weight_noise" in there and summary["sparsity"]:
        stay = summary["robustness"]["weight_noise"]["removed"] == "stay"
        lines.append(f"weight_noise: removed weights {'stay at 0' if stay else 'get noise as well'}.")
    lines += [f"{name} is left out: {reason}" for name, reason in summary["refused"].items()]
    return "\n".join(lines)


def _with_error(taken: dict[str, Any], key: str, place: int) -> str:
    value, error = taken[key][place], taken[f"{key}_stderr"][place]
    known = error is not None and not math.isnan(error)
    return format_cell(value) + (f" ± {error:.2g}" if known else "")
