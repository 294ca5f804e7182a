"""Which numbers there are of a mask, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

COUNTS = [
    Number(name, "1", meaning, ("layer",), column)
    for name, meaning, column in (
        ("total", "weights", "weights"),
        ("kept", "weights that the mask keeps", "kept"),
        ("reachable", "kept weights on a path from the input to the output", "reachable"),
        ("units", "units or channels that the layer makes", "units"),
        ("unfed", "units to which no path leads from the input: they compute a constant", None),
        ("unread", "units from which no path leads to the output", None),
        ("disconnected", "units that are unfed or unread", "cut off"),
        ("multiply_adds", "multiply-adds of the layer for one example, nothing removed", "multiply-adds"),
        ("multiply_adds_kept", "multiply-adds of the kept weights", None),
        ("multiply_adds_reachable", "multiply-adds of the reachable weights", "reachable"),
    )
]
"""what is counted in each layer"""

PATHS = [
    Number("fed", "1", "whether a path leads here from the input", ("unit",)),
    Number("read", "1", "whether a path leads from here to the output", ("unit",)),
]
"""of each unit of a layer"""

PAIRWISE = [
    Number("jaccard", "1", "weights kept by both / by either", ("other",)),
    Number("jaccard_expected", "1", "the same of independent masks with as many weights in each layer", ("other",)),
    Number(
        "excess",
        "1",
        "by how many standard deviations both keep more in common than independent masks do",
        ("other",),
    ),
]
"""what is said of two masks, of the whole network and of each layer"""
