"""Compared criteria as labelled arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from pruning.criteria.compared import Compared
    from pruning.criteria.layers import Layers
from pruning.criteria.numbers import EXPECTED, OF_LAYER, SPEARMAN, SURROGATE, VARIATION


def write(
    place: Place, names: Sequence[str], found: Mapping[str, Compared], layers: Layers, said: Sequence[dict[str, Any]]
) -> None:
    """Write the numbers of all layers, and of each the scores of its units."""
    place.scale("criteria/layer", list(found), "1", "weight of a convolution or linear layer")
    place.scale("criteria/criterion", list(names), "1", "criterion for units")
    place.scale("criteria/other", list(names), "1", "the criterion it is compared with")
    pairs, each = ("layer", "criterion", "other"), ("layer", "criterion")
    place.write("criteria/spearman", [own["spearman"] for own in said], pairs, "1", SPEARMAN)
    for key, meaning in (("variation", VARIATION), ("gaussian_variation", EXPECTED)):
        place.write(f"criteria/{key}", [_row(own[key], names) for own in said], each, "1", meaning)
    for key, meaning in OF_LAYER.items():
        place.write(f"criteria/{key}", [own[key] for own in said], ("layer",), "1", meaning)
    if "surrogate" in said[0]:
        _write_surrogates(place, names, [own["surrogate"] for own in said])
    for layer in layers.every:
        path, alive = f"criteria/{layer.name}", layers.alive[layer.name].cpu().numpy()
        scores = np.full((len(names), layer.whole.size), np.nan)
        scores[:, alive] = found[layer.name].scores
        place.scale(f"{path}/unit", range(layer.whole.size), "1", layer.whole.kind)
        place.write(f"{path}/score", scores, ("criterion", "unit"), "1", "what a criterion gives a unit; NaN: removed")


def _write_surrogates(place: Place, names: Sequence[str], said: Sequence[dict[str, Any]]) -> None:
    shapes = {"spearman": ("layer", "criterion", "other"), "gaussian_rejected": ("layer",)}
    for key, meaning in SURROGATE.items():
        values = [_row(own[key], names) if isinstance(own[key], dict) else own[key] for own in said]
        place.write(f"criteria/surrogate_{key}", values, shapes.get(key, ("layer", "criterion")), "1", meaning)


def _row(values: Mapping[str, float], names: Sequence[str]) -> list[float]:
    return [values.get(name, np.nan) for name in names]
