"""Compared criteria as labelled arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.hdf5 import record

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from pruning.criteria.compared import Compared
    from pruning.criteria.layers import Layers
from pruning.criteria.numbers import BY_CRITERION, OF_LAYER, SCORE, SPEARMAN, SURROGATE


def write(
    place: Place, names: Sequence[str], found: Mapping[str, Compared], layers: Layers, said: Sequence[dict[str, Any]]
) -> None:
    """Write the numbers of all layers, and of each the scores of its units."""
    place.scale("criteria/layer", list(found), "1", "weight of a convolution or linear layer")
    place.scale("criteria/criterion", list(names), "1", "criterion for units")
    place.scale("criteria/other", list(names), "1", "the criterion it is compared with")
    record.write(place, "criteria", [SPEARMAN, *BY_CRITERION, *OF_LAYER], [_in_order(own, names) for own in said])
    if "surrogate" in said[0]:
        record.write(place, "criteria", SURROGATE, [_in_order(own["surrogate"], names) for own in said])
    for layer in layers.every:
        path, alive = f"criteria/{layer.name}", layers.alive[layer.name].cpu().numpy()
        scores = np.full((len(names), layer.whole.size), np.nan)
        scores[:, alive] = found[layer.name].scores
        place.scale(f"{path}/unit", range(layer.whole.size), "1", layer.whole.kind)
        record.write(place, path, [SCORE], {SCORE.key: scores})


def _in_order(own: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What was found of a layer, what there is of each criterion as a list in the order of `names`."""
    return {
        key: [value.get(name, np.nan) for name in names] if isinstance(value, dict) else value
        for key, value in own.items()
    }
