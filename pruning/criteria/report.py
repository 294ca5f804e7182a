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
        f"Spearman's rank correlation of two criteria over a layer's units, median of {_counted(summary)}:",
        render_table(["", *names], matrix),
        *_left_out(summary),
        "",
        *_layers(summary),
        "",
        *_meaning(summary),
    ]
    return "\n".join(lines)


def _counted(summary: dict[str, Any]) -> str:
    """Of how many layers medians are: fewer where a criterion, or a layer of few units, gives no number."""
    of = sorted({count for row in summary["median_layers"] for count in row})
    total = len(summary["layers"])
    if of == [total]:
        return f"{total} layer{'s' if total > 1 else ''}"
    return f"{of[0]}{f' to {of[-1]}' if len(of) > 1 else ''} of {total} layers (those where there is a number)"


def _left_out(summary: dict[str, Any]) -> list[str]:
    """Which layers are not looked at, and why; the output, which never is, goes without saying."""
    shown = [f"{name} ({why})" for name, why in summary["left_out"].items() if why != "the network's output"]
    more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
    return ["", f"not looked at: {'; '.join(shown[:4])}{more}"] if shown else []


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
