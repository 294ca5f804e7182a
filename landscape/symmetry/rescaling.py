"""Rescalings of a ReLU network that leave its function as it is (Dinh et al. 2017), drawn at random."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from landscape.objective.streams import stream
from minima.store.command import BadInput
from minima.zoo.anatomy.units import Group, trace_units
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import call
from minima.zoo.examples.outputs import pick

Kind = Literal["layer", "unit"]

LARGEST = 10.0
"""factors are between 1 / this and this"""
ROUNDING = 1e-3
"""of the largest output: what rounding may change"""


@dataclass(frozen=True)
class Rescaled:
    """A network with the same function and other weights."""

    model: nn.Module
    groups: int
    """layers (with those that they are added to) that have factors"""
    units: int
    output_change: float
    """largest change of an output over the largest output: rounding"""


def rescaled(model: nn.Module, x: Tensor, kind: Kind, seed: int) -> Rescaled:
    """A copy whose layers, or single units, are multiplied by random factors and divided where they are read.

    Factors are log-uniform between 1 / `LARGEST` and `LARGEST`: one for all units of a layer, or one for each. Where
    the units are behind a batch norm, gamma and beta are multiplied. The outputs for x (n, ...) are compared.

    Raises:
        BadInput: an activation is not positively homogeneous; no layer can be rescaled; the function changed.
    """
    seen = trace_units(model, x[:1])
    if seen.curved:
        kinds = ", ".join(sorted(set(seen.curved)))
        raise BadInput(
            f"--rescale-test: the network has activations phi with phi(a z) != a phi(z) ({kinds}),\n"
            "so that rescaling its units changes what it computes: only ReLU and its kin leave such a freedom"
        )
    if not seen.groups:
        raise BadInput("--rescale-test: the network has no layer whose units are read by other weights alone")
    changed, generator = deepcopy(model), stream(seed, "rescaling", kind)
    for group in seen.groups:
        _apply(changed, group, _factors(group.size if kind == "unit" else 1, generator).expand(group.size))
    with evaluating(model), evaluating(changed), torch.no_grad():
        plain, other = (pick(call(each, x)) for each in (model, changed))
    change = ((other - plain).abs().max() / plain.abs().max()).item()
    if not change < ROUNDING:
        raise BadInput(f"--rescale-test: rescaling changed the network's outputs by {change:.2g} of the largest one")
    return Rescaled(changed, len(seen.groups), sum(group.size for group in seen.groups), change)


def _factors(count: int, generator: torch.Generator) -> Tensor:
    exponents = 2 * torch.rand(count, generator=generator, dtype=torch.float64) - 1
    return (math.log(LARGEST) * exponents).exp()


def _apply(model: nn.Module, group: Group, factors: Tensor) -> None:
    """In place: what makes the units times `factors` (units,), what reads them over these."""
    with torch.no_grad():
        for name in group.made:
            parameter = model.get_parameter(name)
            parameter.mul_(_along(factors, 0, parameter))
        for name, entries in group.read:
            parameter = model.get_parameter(name)
            parameter.div_(_along(factors.repeat_interleave(entries), 1, parameter))


def _along(factors: Tensor, axis: int, parameter: Tensor) -> Tensor:
    """(n,) -> (n, 1, ...) or (1, n, 1, ...), to multiply a parameter with."""
    shape = [1] * parameter.ndim
    shape[axis] = len(factors)
    return factors.to(parameter).reshape(shape)
