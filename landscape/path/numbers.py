"""Which numbers there are of the way between two networks, and between the two of each pair, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

OF_PAIRS = [
    Number(f"barrier_{kind}", units, "largest rise over the chord between the ends", ("pair",), key=kind)
    for kind, units in (("loss", "nat"), ("error", "1"))
]
"""by what rises"""
BARRIERS = [
    Number(f"barrier_{kind}", units, "largest rise over the chord", key=kind)
    for kind, units in (("loss", "nat"), ("error", "1"))
]
RISES = [
    Number(f"rise_{kind}", units, "largest rise over the worse end", key=kind)
    for kind, units in (("loss", "nat"), ("error", "1"))
]
WHOLE = [
    Number("accuracy", "1", "fraction of the examples classified right", ("t",)),
    Number("distance", "1", "Euclidean distance of the weights"),
]
BEND = Number("bend", "1", "the weights C that the path bends towards", ("weight",))
