"""What a person reads of `python -m landscape.stability`."""

from __future__ import annotations

from typing import Any

from minima.store.command import render_table

COLUMNS = {
    "update": "step",
    "loss": "loss",
    "lambda_max": "lambda_max",
    "batch_sharpness": "batch sharpness",
    "batch_sharpness_stderr": "±",
    "learning_rate": "learning rate",
    "threshold": "threshold",
}


EXPLANATION = """
threshold: what a step bears on a quadratic; plain gradient descent 2 / lr. Full-batch training is said to settle with
lambda_max there (Cohen et al. 2021), mini-batch training with its batch sharpness there and lambda_max below (Andreyev
and Beneventano 2024); a weight decay counts as curvature, to be added to both. ±: over the batches drawn."""


def table(summary: dict[str, Any]) -> str:
    """What a person reads of the JSON object: a line for each moment."""
    several = isinstance(summary["update"], list)
    rows = [summary[key] if several else [summary[key]] for key in COLUMNS]
    lines = [render_table(list(COLUMNS.values()), list(zip(*rows, strict=True))), EXPLANATION]
    reasons = summary["no_threshold"] if several else [summary["no_threshold"]]
    lines += [f"There is no threshold: {reason}." for reason in dict.fromkeys(reasons) if reason]
    told = summary["recipe_not_told"][0] if several else summary["recipe_not_told"]
    lines += [f"The recorder of this training was not told: {', '.join(told)}."] if told else []
    return "\n".join(lines)
