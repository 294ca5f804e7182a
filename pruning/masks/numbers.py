"""Which numbers there are of a mask, with their meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


COUNTS = {
    "total": "weights",
    "kept": "weights that the mask keeps",
    "reachable": "kept weights on a path from the input to the output",
    "units": "units or channels that the layer makes",
    "unfed": "units to which no path leads from the input: they compute a constant",
    "unread": "units from which no path leads to the output",
    "disconnected": "units that are unfed or unread",
    "multiply_adds": "multiply-adds of the layer for one example, nothing removed",
    "multiply_adds_kept": "multiply-adds of the kept weights",
    "multiply_adds_reachable": "multiply-adds of the reachable weights",
}
"""what is counted in each layer"""


PAIRWISE = {
    "jaccard": "weights kept by both / by either",
    "jaccard_expected": "the same of independent masks with as many weights in each layer",
    "excess": "by how many standard deviations both keep more in common than independent masks do",
}
"""what is said of two masks, of the whole network and of each layer"""
