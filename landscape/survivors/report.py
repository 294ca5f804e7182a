"""What a person reads of `landscape.survivors`."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from landscape.objective.position import heading
from landscape.spectrum.examples_legend import of_examples
from minima.store.table import render_table, with_error

RATIOS = ("lambda_max", "trace", "adaptive_lambda_max")
"""what is also given as a multiple of the pruned network's"""
SPOKEN = {"pruned": "pruned, its survivors", "parent": "parent, all weights", "parent-in-mask": "parent, same mask"}


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """The mean of some values and their standard deviation (None of a single one)."""
    return {"mean": mean(values), "deviation": stdev(values) if len(values) > 1 else None}


def table(summary: dict[str, Any]) -> str:
    """What a person reads: a line for each Hessian, the random masks in one."""
    first, drawn = summary["operators"][:3], summary["operators"][3:]
    rows = [[SPOKEN[each["name"]], *_row([each])] for each in first]
    masks = f"parent, {len(drawn)} random mask{'s' * (len(drawn) > 1)}"
    if drawn:
        rows.append([masks, *_row(drawn)])
    head = ["Hessian of", "weights", "loss", "gradient", "norm", "λ₁", "×", "trace", "×", "adaptive λ₁", "×"]
    lines = [
        heading(summary),
        "",
        render_table(head, rows),
        "",
        "×: multiple of the pruned network's, - where that is zero within two of its errors. ±: error of the probes;",
        "of random masks: deviation from mask to mask.",
        "The parent in a mask keeps all its weights, and only those in the mask move; norm: of the weights that move.",
    ]
    if first[0].get("data_stderr_new"):
        named = [(SPOKEN[each["name"]], each) for each in first]
        named += [(masks, summary["random_masks"])] * bool(drawn)
        lines += ["", *_of_examples(named, len(first[0]["eigenvalues"]), summary["used_share"])]
    if not all(each["converged"] for each in summary["operators"]):
        lines.append("Not all eigenvalues are within the tolerance: see the residuals")
    return "\n".join(lines)


def _of_examples(named: Sequence[tuple[str, dict[str, Any]]], top: int, used_share: float | None) -> list[str]:
    """By how much the numbers would differ on other examples, and the share that the largest eigenvalues have."""
    rows = []
    for name, each in named:
        new = each["data_stderr_new"]
        pairs = [error for key in RATIOS for error in (new[key], new["ratios"][key])]
        rows.append([name, _with_error(each["top_share"], each.get("top_share_stderr")), new["top_share"], *pairs])
    head = ["Hessian of", f"top {top} / trace", "±", "± λ₁", "± ×", "± trace", "± ×", "± adaptive λ₁", "± ×"]
    return [
        render_table(head, rows),
        "",
        f"±: {of_examples(used_share)}",
    ]


def _row(entries: Sequence[dict[str, Any]]) -> list[Any]:
    """A line of the table: one Hessian's numbers, or the means of several."""
    cells = [entries[0][key] for key in ("dimension", "loss", "gradient_norm", "weight_norm")]
    for key in RATIOS:
        found, ratios = spread([each[key] for each in entries]), [each["ratios"][key] for each in entries]
        error = found["deviation"] if len(entries) > 1 else entries[0].get(f"{key}_stderr")
        cells.append(_with_error(found["mean"], error))
        cells.append(None if None in ratios else mean(ratios))
    return cells


def _with_error(value: float | None, error: float | None) -> str | None:
    return None if value is None else with_error(value, error)
