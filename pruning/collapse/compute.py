"""How far each method cuts a network before a layer is left without a weight."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.store.hdf5 import record
from pruning.collapse.critical import critical, cutter, kept_weights, require_scoring_room
from pruning.context.counts import alive_counts, size
from pruning.context.starts import NotHeld

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
    from pruning.composition.method import Method
from pruning.collapse.flags import check
from pruning.collapse.numbers import FOUND, WHOLE


def compute(subject: Subject, place: Place, chosen: dict[str, Method], seed: int | None) -> dict[str, Any]:
    """Find where each method empties a first layer, write it to a subject's place, return what the JSON object says."""
    masks = kept_weights(subject)
    weights, alive = size(masks), alive_counts(masks)
    check(subject.name, alive)
    drawn = subject.checkpoint.seed if seed is None else seed
    for words, method in chosen.items():
        _check_start(words, method, subject)
    require_scoring_room(chosen.values(), subject, drawn)
    edges = {words: critical(cutter(method, subject, drawn), alive) for words, method in chosen.items()}
    found = {
        words: asdict(edge) | _levels(weights / edge.kept, edge.kept < len(alive)) for words, edge in edges.items()
    }
    whole = {"weights": weights, "layers": len(alive), "largest_compression": weights / len(alive)}
    _write(whole, found, place)
    return whole | {"methods": found, "method_seed": drawn}


def _check_start(words: str, method: Method, subject: Subject) -> None:
    """BadInput where the file does not hold the weights that a method begins with: there is no flag here to give
    them."""
    try:
        method.composition().start.weights(subject.checkpoint)
    except NotHeld as missing:
        raise BadInput(
            f"{subject.name}: --methods {words!r} begins at the weights of epoch {missing.epoch}, which the file does "
            "not hold.\nName the dense checkpoint that it was made from, which holds them, or methods that begin with "
            "the weights as they are: --methods magnitude random"
        ) from missing


def _levels(compression: float, must: bool) -> dict[str, Any]:
    return {"compression": compression, "log_compression": math.log10(compression), "must": must}


def _write(whole: dict[str, Any], found: dict[str, dict[str, Any]], place: Place) -> None:
    place.scale("collapse/method", list(found), "1", "pruning method, with its flags")
    record.write(place, "collapse", FOUND, list(found.values()))
    record.write(place, "collapse", WHOLE, whole)
