"""What a person reads of `python -m pruning.criteria`."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table
from minima.zoo.measuring.level_text import spoken_score


def table(summary: dict[str, Any]) -> str:
    """What a person reads: rank correlations over the layers, then a line for each layer, and what they mean."""
    names = summary["criteria"]
    matrix = [[name, *row] for name, row in zip(names, summary["median_spearman"], strict=True)]
    lines = [
        f"{spoken_score(summary)} on {summary['samples']:,} examples ({summary['split']})",
        "",
        "Spearman's rank correlation of two criteria over a layer's units, median of the layers:",
        render_table(["", *names], matrix),
        "",
        *_layers(summary),
        "",
        *_meaning(summary),
    ]
    return "\n".join(lines)


def _layers(summary: dict[str, Any]) -> list[str]:
    """Each layer's spread by criterion, that of surrogates below it, and its tests."""
    names = summary["criteria"]
    rows = []
    for layer in summary["layers"]:
        tests = [layer["excess_kurtosis"], layer["gaussian_p"], layer["mean_p"], layer["variance_p"]]
        rows.append(
            [layer["name"], layer["left"], layer["weights"], *(layer["variation"][name] for name in names), *tests]
        )
        if "surrogate" in layer:
            spread = layer["surrogate"]["variation"]
            rows.append(["  surrogate", None, None, *(spread[name] for name in names), *[None] * 4])
    slopes = [summary["slopes"][name]["value"] for name in names]
    rows.append(["slope on weights", None, None, *slopes, *[None] * 4])
    head = ["weight", "units", "weights", *names, "kurtosis - 3", "Gaussian p", "mean 0 p", "variances p"]
    return ["Coefficient of variation of a layer's scores, and tests of its weights:", render_table(head, rows)]


def _meaning(summary: dict[str, Any]) -> list[str]:
    tested = summary["gaussian_layers"]
    found = [
        "weights: of each unit. slope: of log variation on log weights over layers, -0.5 where weights are Gaussian.",
        "Gaussian p: Anderson-Darling, one Gaussian of unknown mean and variance for all weights of the layer, as if",
        "they were independent; of many weights any difference from it is found: the kurtosis says how large it is.",
        f"Below 0.05 in {tested['rejected']} of {tested['tested']} layers.",
    ]
    if summary["draws"]:
        found.append(
            f"surrogate: with Gaussian weights of the layer's mean and deviation, mean of {summary['draws']} draws."
        )
    return found
