"""Which numbers there are of a collapse, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

METHOD = ("method",)
FOUND = (
    Number(
        "kept",
        "1",
        "weights that are kept where a layer is empty, and with one more none is",
        METHOD,
        column="weights kept",
    ),
    Number("compression", "1", "all weights / these: where the first layer collapses", METHOD, column="compression"),
    Number("log_compression", "1", "its logarithm to base 10", METHOD, column="log10"),
    Number("first_empty", "1", "weight of the first layer that is empty there", METHOD, column="first empty layer"),
    Number(
        "must",
        "1",
        "whether fewer weights than layers are kept there, so that one has to be empty",
        METHOD,
        column="must be",
    ),
)
"""what is found of each method"""


WHOLE = (
    Number("weights", "1", "weights of convolutions and linear layers"),
    Number("layers", "1", "convolutions and linear layers"),
    Number("largest_compression", "1", "weights / layers: up to here every layer can keep a weight"),
)
"""what holds for all of them"""
