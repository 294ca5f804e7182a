"""The part of `landscape.hessian` that estimates the trace; by Hutchinson's probes also layers' and the diagonal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscape.hessian.work import DATA_ERRORS, Work
from landscape.objective.streams import stream
from landscape.spectrum.blocks import layers
from landscape.spectrum.diagonal import Diagonals
from landscape.spectrum.hutchpp import hutchpp
from landscape.spectrum.trace import Estimate, estimate, hutchinson
from landscape.spectrum.watching import counted
from landscape.spectrum.xtrace import xtrace
from minima.store.hdf5 import record
from minima.store.hdf5.record import Number

if TYPE_CHECKING:
    from landscape.objective.coordinates import Coordinates
    from landscape.spectrum.operator import Product

VECTORS = {"hutchinson": 0.0, "hutch++": 1.5, "xtrace": 3.5}
"""that an estimator holds at once for each product, as measured"""
BLOCK = Number("block_trace", "nat", "trace of the layer's diagonal block, same probes", ("block",), key="trace")
DATA_PROBES = 8
"""random signs that the error of the examples is estimated with"""


class LayerTraces:
    """z_i (Hz)_i summed over each layer's weights: an estimate of the trace of its diagonal block."""

    def __init__(self, coordinates: Coordinates) -> None:
        self._sizes = coordinates.sizes
        self._samples: list[Tensor] = []

    def add(self, each: Tensor) -> None:
        """Take in the z_i (Hz)_i of some probes, (k, d)."""
        parts = each.split(list(self._sizes.values()), dim=1)
        self._samples.append(torch.stack([part.sum(1) for part in parts], 1))  # (k, parameters)

    def estimates(self) -> dict[str, Estimate]:
        """The trace of each layer's block of the Hessian with its standard error, by the layer's name."""
        samples = dict(zip(self._sizes, torch.cat(self._samples).T, strict=True))
        grouped = layers(list(self._sizes))
        summed = {layer: torch.stack([samples[name] for name in names]).sum(0) for layer, names in grouped.items()}
        return {layer: estimate(each.tolist()) for layer, each in summed.items()}


@dataclass(frozen=True)
class Trace:
    """An estimate of the trace of a curvature operator."""

    estimate: Estimate
    errors: Mapping[str, float | None]
    """by the keys of `DATA_ERRORS`"""
    by_layer: LayerTraces
    diagonals: Diagonals
    """what Hutchinson's probes tell besides"""


def find(work: Work) -> Trace:
    """The trace, from as many products as are asked for, with the errors that its examples make."""
    by_layer, diagonals = LayerTraces(work.objective.coordinates), Diagonals()
    with work.product("trace") as product:
        found = _estimate(work, product, by_layer, diagonals)
    again = stream(work.seed, "trace")
    signs = torch.stack([work.objective.signs(again) for _ in range(min(DATA_PROBES, work.wanted.trace or 0))])
    errors = {key: each[0] if each else None for key, each in work.data_errors(signs, average=True).items()}
    return Trace(found, errors, by_layer, diagonals)


def measure(work: Work) -> dict[str, Any]:
    """Estimate the trace, write what was asked for, and return what the JSON object says; None without probes."""
    wanted, place = work.wanted, work.place
    if not wanted.trace:
        return {"trace": None}
    trace = find(work)
    found = trace.estimate
    place.scale("hessian/probe", list(range(len(found.samples))), "1", "random probe")
    place.write("hessian/probes", found.samples, ("probe",), "nat", "each probe's estimate of the trace")
    own = {"value": found.value, "stderr": found.stderr, **trace.errors}
    number = Number("trace", "nat", f"trace of the {work.operator.title}, mean over the probes", key="value")
    errors = {"stderr": "standard error of the trace"} | DATA_ERRORS
    record.write(place, "hessian", [number, *(number.beside(key, errors[key], key) for key in errors)], own)
    summary: dict[str, Any] = {"trace": own | {"probes": len(found.samples), "estimator": wanted.trace_estimator}}
    if wanted.trace_estimator == "hutchinson":
        summary["layer_traces"] = _write_layers(work, trace.by_layer.estimates())
        if wanted.diagonal:
            _write_diagonal(work, trace.diagonals)
    return summary


def _estimate(work: Work, product: Product, by_layer: LayerTraces, diagonals: Diagonals) -> Estimate:
    wanted, objective = work.wanted, work.objective
    number, probes = wanted.trace or 0, stream(work.seed, "trace")

    def observe(each: Tensor) -> None:
        by_layer.add(each)
        if wanted.diagonal:
            diagonals.add(each)

    with counted(product, number) as watched:
        if wanted.trace_estimator == "hutchinson":
            return hutchinson(watched, lambda: objective.signs(probes), number, observe)
        if wanted.trace_estimator == "hutch++":
            return hutchpp(watched, lambda: objective.signs(probes), number)
        return xtrace(watched, lambda: objective.normal(probes), number)


def _write_layers(work: Work, found: dict[str, Estimate]) -> list[dict[str, Any]]:
    rows = [{"name": name, "trace": each.value, "stderr": each.stderr} for name, each in found.items()]
    work.place.scale("hessian/block", list(found), "1", "layer")
    record.write(work.place, "hessian", [BLOCK, BLOCK.beside("stderr", "standard error of it", "stderr")], rows)
    return rows


def _write_diagonal(work: Work, diagonals: Diagonals) -> None:
    place, coordinates, found = work.place, work.objective.coordinates, diagonals.estimate()
    place.scale("hessian/weight", range(len(coordinates.full)), "1", "weight, in the order of the network's parameters")
    for key, values, meaning in (
        ("diagonal", found.values, f"diagonal of the {work.operator.title}, mean over the probes"),
        ("diagonal_stderr", found.stderr, "standard error of the diagonal"),
    ):
        place.write(f"hessian/{key}", coordinates.extend(values).float(), ("weight",), "nat", meaning)


def refused(estimator: str, products: int, dimension: int) -> str | None:
    """Why an estimator does not work with so many products; None where it does.

    >>> refused("hutch++", 2, 100)
    'hutch++ takes at least 3 products'
    >>> refused("xtrace", 8, 3)
    'xtrace with 8 products needs 4 coordinates, and there are 3'
    """
    share = {"hutchinson": 1, "hutch++": 3, "xtrace": 2}[estimator]
    if products < share:
        return f"{estimator} takes at least {share} products"
    if estimator != "hutchinson" and products // share > dimension:
        return f"{estimator} with {products} products needs {products // share} coordinates, and there are {dimension}"
    return None
