"""Which numbers every command writes of a checkpoint beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minima.store.hdf5.record import Number

LOSS = Number("loss", "nat", "mean loss of the examples used", column="loss")
ACCURACY = Number("accuracy", "1", "fraction of the examples used that are classified right", column="accuracy")
SCORE = Number("score", "1", "score of the examples used", column="score")
SPARSITY = Number("sparsity", "1", "fraction of the prunable weights that is removed", column="sparsity")


def level(summary: Mapping[str, Any], loss: str) -> list[Number]:
    """The numbers that every result has of a network (loss, score, sparsity); `loss`: by its name; the score as its
    JSON object says it.

    >>> [number.name for number in level({"score_name": "accuracy"}, "cross-entropy")]
    ['loss', 'accuracy', 'sparsity']
    """
    named, score = summary["score_name"], []
    if named == ACCURACY.name:
        score = [ACCURACY]
    elif named is not None:
        score = [replace(SCORE, long_name=f"{named} of the examples used")]
    return [replace(LOSS, long_name=f"mean {loss} of the examples used"), *score, SPARSITY]
