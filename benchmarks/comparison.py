"""One network, all contestants, in one process and in turn."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from benchmarks.contestants import BUILDERS
from benchmarks.eigenvalues import eigenvalues
from benchmarks.known import check
from benchmarks.networks import subject
from benchmarks.peak_memory import peak_memory
from benchmarks.products import products, traces
from benchmarks.reference import reference
from benchmarks.row import FLOOR, OURS, PRODUCT, Extent, Row, beside_ours
from benchmarks.tool import TOP


def compare(name: str, extent: Extent, contestants: Sequence[str] = ()) -> dict[str, Any]:
    """The rows of a network, and what they were measured on.

    `disagreement`: of the last tool's product with the reference; `contestants`: tools that take part beside
    ours; empty: all.
    """
    check("--tools", contestants, BUILDERS)
    looked_at = subject(name, extent.images)
    exact = reference(looked_at)
    builders = {tool: build for tool, build in BUILDERS.items() if not contestants or tool in (OURS, *contestants)}
    copies = {tool: replace(looked_at, model=copy.deepcopy(looked_at.model)) for tool in builders}  # .grad may be left
    tools = {tool: build(copies[tool]) for tool, build in builders.items()}
    one = {row.tool: row for row in products(looked_at, tools, extent.rounds)}
    probes = list(beside_ours(traces(looked_at, tools, extent.probes))) if extent.probes else []
    disagreement = exact.disagreement([*tools.values()][-1].product)
    del tools
    solved = sorted(eigenvalues(looked_at, exact, one, extent), key=lambda row: (row.tool != OURS, row.seconds))
    rows = [*beside_ours(one.values()), *probes, *beside_ours(solved)]
    return {
        "images": extent.images,
        "chunk": looked_at.batch_size,
        "parameters": exact.vectors.shape[1],
        "eigenvalues": exact.values[:TOP].tolist(),
        "residuals": exact.residuals[:TOP].tolist(),
        "disagreement": disagreement,
        "rows": [asdict(replace(row, memory=_memory(name, extent.images, row))) for row in rows],
    }


def _memory(name: str, images: int, row: Row) -> int | None:
    """Of one product: beside it, what a solver keeps is small."""
    return peak_memory(name, images, row.tool) if row.work == PRODUCT and row.tool != FLOOR else None
