"""Loss and score in the words of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def spoken_loss(summary: Mapping[str, Any]) -> str:
    """The loss of a JSON object, with its unit and, where it is not the usual one, its name.

    >>> spoken_loss({"loss": 0.5, "loss_name": "cross-entropy", "loss_unit": "nat"})
    'loss 0.5 nat'
    >>> spoken_loss({"loss": 0.5, "loss_name": "mse", "loss_unit": "1"})
    'loss 0.5 (mse)'
    """
    unit = "" if summary["loss_unit"] == "1" else f" {summary['loss_unit']}"
    name = "" if summary["loss_name"] == "cross-entropy" else f" ({summary['loss_name']})"
    return f"loss {summary['loss']:.6g}{unit}{name}"


def spoken_score(summary: Mapping[str, Any]) -> str:
    """The score of a JSON object by its name; "no score" where there is none.

    >>> spoken_score({"score": 0.95, "score_name": "accuracy"}), spoken_score({"score": 0.9, "score_name": "r2"})
    ('accuracy 95.00%', 'r2 0.9')
    """
    name, score = summary["score_name"], summary["score"]
    if name is None or score is None or math.isnan(score):
        return "no score" if name is None else f"{name} undefined"
    return f"{name} {score:.2%}" if name == "accuracy" else f"{name} {score:.4g}"
