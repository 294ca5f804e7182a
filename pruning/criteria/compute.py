"""Criteria compared in each layer of a network, and of surrogates of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from landscape.objective.streams import stream
from minima.store.command import BadInput
from pruning.context.criterion import criteria
from pruning.criteria.layers import layers_of
from pruning.criteria.surrogate import surrogate

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
    from pruning.context.criterion import Criterion
    from pruning.criteria.layers import Layer, Layers
from pruning.criteria.compared import Compared, compare
from pruning.criteria.statistics import GAUSSIAN_VARIATION, slope
from pruning.criteria.writing import write

Floats = NDArray[np.float64]
OF_WEIGHTS = ("l1", "l2", "largest", "fpgm", "fermat", "batch-norm")
"""compared where none are named: those that need no data"""
LEVEL = 0.05


def compute(subject: Subject, place: Place, names: Sequence[str], draws: int, seed: int) -> dict[str, Any]:
    """Compare criteria in each layer of a subject, write the numbers to its place, return what the JSON object says."""
    layers = layers_of(subject, seed)
    chosen = _chosen(names, layers)
    found = compare(layers, chosen, subject.model)
    summaries = {layer.name: _said(layers, layer, found[layer.name], list(chosen)) for layer in layers.every}
    redrawn = [
        compare(layers, chosen, surrogate(subject.model, subject.masks, stream(seed, "surrogate", draw)))
        for draw in range(draws)
    ]
    if redrawn:
        for name, own in summaries.items():
            own["surrogate"] = _of_surrogates([each[name] for each in redrawn], list(chosen))
    whole = _whole(list(summaries.values()), list(chosen))
    write(place, list(chosen), found, layers, list(summaries.values()))
    return (
        {"criteria": list(chosen), "layers": list(summaries.values()), "draws": draws}
        | whole
        | {"left_out": dict(layers.left_out)}
    )


def _chosen(names: Sequence[str], layers: Layers) -> dict[str, Criterion]:
    """The criteria asked for; where none are, those of weights that say something of a layer."""
    known = criteria()
    for name in names:
        if name not in known:
            raise BadInput(f"--criteria {name}: expected of {', '.join(known)}")
    chosen = {name: known[name]() for name in names or OF_WEIGHTS}
    if not names:
        try:
            chosen["batch-norm"].score(layers.in_parts)
        except BadInput:  # no layer has one
            del chosen["batch-norm"]
    return chosen


def _said(layers: Layers, layer: Layer, found: Compared, names: list[str]) -> dict[str, Any]:
    """What the JSON object says of one layer."""
    own = [len(each) for each in layers.weights_of(layer, layers.context.model)]
    whole = bool(layers.context.masks[layer.name].all()) and len(own) > 0
    expected = {name: GAUSSIAN_VARIATION[name](own[0]) for name in names if whole and name in GAUSSIAN_VARIATION}
    return {
        "name": layer.name,
        "kind": layer.whole.kind,
        "units": layer.whole.size,
        "left": len(own),
        "weights": float(np.mean(own)) if own else np.nan,
        "spearman": found.spearman.tolist(),
        "variation": dict(zip(names, found.variation.tolist(), strict=True)),
        "gaussian_variation": expected,
        **asdict(found.gaussian),
    }


def _of_surrogates(found: Sequence[Compared], names: list[str]) -> dict[str, Any]:
    spreads = np.array([each.variation for each in found])
    several = spreads.std(0, ddof=1) if len(found) > 1 else np.full(len(names), np.nan)
    rejected = [each.gaussian.gaussian_p < LEVEL for each in found if not np.isnan(each.gaussian.gaussian_p)]
    return {
        "spearman": np.mean([each.spearman for each in found], axis=0).tolist(),
        "variation": dict(zip(names, spreads.mean(0).tolist(), strict=True)),
        "variation_std": dict(zip(names, several.tolist(), strict=True)),
        "gaussian_rejected": float(np.mean(rejected)) if rejected else np.nan,
    }


def _whole(layers: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """What there is to say of all layers together."""
    weights = np.array([layer["weights"] for layer in layers])
    slopes = {name: slope(weights, np.array([layer["variation"][name] for layer in layers])) for name in names}
    tested = [layer["gaussian_p"] for layer in layers if not np.isnan(layer["gaussian_p"])]
    return {
        "median_spearman": _median([layer["spearman"] for layer in layers]).tolist(),
        "median_layers": np.isfinite(np.array([layer["spearman"] for layer in layers])).sum(0).tolist(),
        "slopes": {name: dict(zip(("value", "stderr", "layers"), own, strict=True)) for name, own in slopes.items()},
        "gaussian_layers": {"tested": len(tested), "rejected": sum(p < LEVEL for p in tested)},
    }


def _median(matrices: Sequence[Any]) -> Floats:
    """Over the layers where there is a number; NaN where there is none."""
    stacked = np.array(matrices, dtype=np.float64)
    ordered = np.ma.median(np.ma.masked_invalid(stacked), axis=0)
    return np.asarray(np.ma.filled(ordered, np.nan), dtype=np.float64)
