"""Entropy over the neurons that are alive in every checkpoint: "alive" by itself is survivorship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from entropy.information.layer import mean
from entropy.information.recording import group_of

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place


def conclude(places: list[Place], summaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add `shared_alive` (how many) and `shared_alive_mean` (bit, first order) to every layer of every checkpoint."""
    additions: dict[str, list[dict[str, Any]]] = {}
    for name in [layer["name"] for layer in summaries[0]["layers"]]:
        group = group_of(name)
        alive = np.logical_and.reduce([_alive(place, group) for place in places])
        additions[name] = [
            {"shared_alive": int(alive.sum()), "shared_alive_mean": mean(place.read(f"{group}/entropy")[alive])}
            for place in places
        ]
    return [
        summary | {"layers": [layer | additions[layer["name"]][index] for layer in summary["layers"]]}
        for index, summary in enumerate(summaries)
    ]


def _alive(place: Place, group: str) -> Any:
    """Which neurons are neither dead nor always on."""
    on = place.read(f"{group}/counts").sum(0)
    return (on > 0) & (on < place.read(f"{group}/observed").sum())
