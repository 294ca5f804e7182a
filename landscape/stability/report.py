"""What a person reads of `python -m landscape.stability`."""

from __future__ import annotations

from typing import Any

from landscape.stability.numbers import NUMBERS
from minima.store.hdf5 import record
from minima.zoo.measuring.numbers import LOSS

EXPLANATION = """
threshold: what a step bears on a quadratic; plain gradient descent 2 / lr. Full-batch training is said to settle with
lambda_max there (Cohen et al. 2021), mini-batch training with its batch sharpness there and lambda_max below (Andreyev
and Beneventano 2024); a weight decay counts as curvature, to be added to both. ±: over the batches drawn."""


def table(summary: dict[str, Any]) -> str:
    """What a person reads of the JSON object: a line for each moment."""
    step, *others = NUMBERS
    shown = (step, LOSS, *others)
    moments = record.each_checkpoint(summary, [*(number.key for number in shown), "no_threshold", "recipe_not_told"])
    lines = [record.table(shown, moments), EXPLANATION]
    reasons = dict.fromkeys(moment["no_threshold"] for moment in moments)
    lines += [f"There is no threshold: {reason}." for reason in reasons if reason]
    told = moments[0]["recipe_not_told"]
    lines += [f"The recorder of this training was not told: {', '.join(told)}."] if told else []
    return "\n".join(lines)
