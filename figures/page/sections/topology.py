"""Basins of a measured surface, and at which loss they merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from figures.page.content.charts import Maps, Row, Table, View
from figures.page.content.networks import Networks
from figures.page.content.quantised import quantised
from figures.page.content.results import Result
from figures.page.content.section import Section, listed


@dataclass(frozen=True)
class Topology(Section):
    """The section on basins of a surface: results of `landscape.topology`."""

    name: ClassVar[str] = "topology"
    place: ClassVar[int] = 40
    title: ClassVar[str] = "Basins of the surface"
    measure: ClassVar[str] = "topology"
    command: ClassVar[str] = "python -m landscape.topology {surface}"
    arrays: ClassVar[tuple[str, ...]] = (*("alpha", "beta", "basin_of_point", "minimum_*", "saddle_loss", "parent"),)
    question: ClassVar[str] = "Is the network alone in its valley on this plane, and how high are the passes to others?"
    caveat: ClassVar[str] = (
        "Basins of a plane, not of the loss: two that are apart here may be one valley in all dimensions, and small "
        "basins may come from the grid."
    )
    cite: ClassVar[tuple[str, ...]] = (
        "Edelsbrunner and Harer 2010, Computational Topology (merge trees, persistence)",
    )

    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """A map of the basins, and a table of their depths."""
        maps = [
            {
                "network": networks.place(each),
                "layer": "",
                "values": quantised(each.arrays["basin_of_point"].T, bits=8),
                "x": each.arrays["alpha"].tolist(),
                "y": each.arrays["beta"].tolist(),
                "words": f"{each.summary['minima']} basin{'s' * (each.summary['minima'] != 1)}",
            }
            for each in results
            if "beta" in each.arrays
        ]
        charts = [Maps("Which basin each point belongs to", "α", "β", "basin", maps)] if maps else []
        said = [f"{networks.label(each)} {each.summary['minima']}" for each in results]
        return View(f"Basins on the plane: {listed(said)}.", charts, [_table(results, networks)])


def _table(results: Sequence[Result], networks: Networks) -> Table:
    rows = []
    for each in results:
        arrays = each.arrays
        for number in range(each.summary["minima"]):
            born, merged, parent = (arrays[key][number] for key in ("minimum_loss", "saddle_loss", "parent"))
            end = f"{merged:.4g}" if np.isfinite(merged) else "never"
            into = int(parent) or "-"
            rows.append(Row([networks.label(each), number + 1, f"{born:.4g}", end, into], networks.place(each)))
    heads = ("network", "basin", "lowest loss", "merges at", "into")
    return Table("Basins, the deepest first", heads, rows)
