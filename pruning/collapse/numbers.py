"""Which numbers there are of a collapse, with their meaning."""

from __future__ import annotations

FOUND = {
    "kept": "weights that are kept where a layer is empty, and with one more none is",
    "compression": "all weights / these: where the first layer collapses",
    "log_compression": "its logarithm to base 10",
    "first_empty": "weight of the first layer that is empty there",
    "must": "whether fewer weights than layers are kept there, so that one has to be empty",
}
"""what is found of each method"""


WHOLE = {
    "weights": "weights of convolutions and linear layers",
    "layers": "convolutions and linear layers",
    "largest_compression": "weights / layers: up to here every layer can keep a weight",
}
"""what holds for all of them"""
