"""Diagonal blocks of a curvature matrix: one for each layer, or for the parameters that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landscape.objective.streams import stream
from landscape.spectrum.lanczos import Eigenpairs, top_eigenpairs
from landscape.spectrum.trace import Estimate, hutchinson
from minima.store.hdf5 import record
from minima.store.hdf5.record import Number

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Operator
    from minima.store.hdf5.results import Place

PROBES = 16
"""of a block's trace, where nothing else is said"""
NUMBERS = [
    Number(f"layer_{key}", units, meaning, ("layer",), key=key, kind=float)
    for key, units, meaning in (
        ("dimension", "1", "weights that may move"),
        ("eigenvalue", "nat", "largest eigenvalue of the layer's diagonal block"),
        ("residual", "1", "||Bv - lv|| / |l| of it"),
        ("trace", "nat", "trace of the block, mean over random probes"),
        ("trace_stderr", "nat", "standard error of the trace"),
    )
]


@dataclass(frozen=True)
class Block:
    """The curvature of the loss in some of the weights, the others being held."""

    name: str
    dimension: int
    top: Eigenpairs | None
    """the largest eigenvalue; None where all weights are removed"""
    trace: Estimate | None


def layers(names: Sequence[str]) -> dict[str, list[str]]:
    """Parameters by the module that they belong to; one that belongs to the network itself is a layer of its own.

    >>> layers(["token", "fc.weight", "fc.bias"])
    {'token': ['token'], 'fc': ['fc.weight', 'fc.bias']}
    """
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(name.rpartition(".")[0] or name, []).append(name)
    return grouped


def blocks(
    objective: Objective,
    operator: Operator,
    parameters: Mapping[str, Sequence[str]],
    *,
    tolerance: float = 1e-3,
    probes: int = PROBES,
    seed: int = 0,
) -> list[Block]:
    """Largest eigenvalue and trace of each diagonal block; `parameters`: what is in a block, by the block's name.

    Raises:
        BadInput: a name is no parameter and no module of the network.
    """
    objective.release()  # each block keeps graphs of its own
    return [
        Block(name, 0, None, None)
        if _removed(objective, members)
        else _block(name, objective.block(members), operator, tolerance, probes, seed)
        for name, members in parameters.items()
    ]


def _block(name: str, part: Objective, operator: Operator, tolerance: float, probes: int, seed: int) -> Block:
    product = operator.product(part, seed)
    draws, signs = stream(seed, "lanczos", name), stream(seed, "trace", name)
    room = part.keeper.vector_bytes
    top = top_eigenpairs(product, lambda: part.normal(draws), part.dimension, 1, tolerance=tolerance, memory=room)
    return Block(name, part.dimension, top, hutchinson(product, lambda: part.signs(signs), probes))


def _removed(objective: Objective, members: Sequence[str]) -> bool:
    """Whether there are parameters of these names, or in modules of these names, and no weight of them is left."""
    inside = tuple(f"{member}." for member in members)
    sizes = [size for name, size in objective.coordinates.sizes.items() if name in members or name.startswith(inside)]
    return bool(sizes) and not any(sizes)


def summary(found: Sequence[Block]) -> list[dict[str, Any]]:
    """What the JSON object says of each block."""
    return [
        {
            "name": block.name,
            "dimension": block.dimension,
            "eigenvalue": block.top and float(block.top.values[0]),
            "residual": block.top and float(block.top.residuals[0]),
            "converged": block.top and block.top.converged,
            "trace": block.trace and block.trace.value,
            "trace_stderr": block.trace and block.trace.stderr,
        }
        for block in found
    ]


def write(place: Place, group: str, found: Sequence[Block]) -> None:
    """Arrays over the scale `layer`; NaN where a layer has no weights left."""
    place.scale(f"{group}/layer", [block.name for block in found], "1", "layer, or what was named")
    record.write(place, group, NUMBERS, summary(found))
