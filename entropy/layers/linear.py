"""Whether an activation could be left out: the network is run with it replaced, and the outputs are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from entropy.layers.signs import Signs
from minima.zoo.anatomy.operations import operation_name
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick

SLOPED = frozenset({"leaky_relu", "prelu", "rrelu"})
"""linear below zero as well: what they make of a negative channel is a multiple of it"""

ROUNDINGS = 8
"""a change of at most so many rounding errors of the largest output is none"""


@dataclass(frozen=True)
class Change:
    """What leaving out an activation did to the outputs (logits)."""

    largest: float
    """largest change of an output over all examples"""
    tolerance: float
    """of what is rounding: 8 units in the last place of the largest output"""

    @property
    def none(self) -> bool:
        """Whether the outputs are the same but for rounding."""
        return self.largest <= self.tolerance


def linear_channels(signs: Signs) -> Tensor | None:
    """Channels that a ReLU passes on (True) or blocks (False) for every example (n,); None if one does both."""
    if ((signs.negative > 0) & (signs.positive > 0)).any():
        return None
    return torch.from_numpy(signs.positive > 0)


def output_changes(
    model: nn.Module,
    x: Inputs,
    batch_size: int,
    output: str,
    passing: Mapping[str, Tensor],
    picked: Callable[[Any], Any] = pick,
) -> dict[str, Change]:
    """What becomes of the outputs of `model`, in eval mode already, with each of some activations left out by itself.

    Args:
        output: the site of the output layer.
        passing: by site, the channels (n,) that are passed on as they are; the others are set to zero (or, below a
            leaky ReLU, multiplied by its slope).
        picked: of what the network returns, what counts as its outputs.
    """
    plain = _Linear(model, output, picked=picked)
    replaced = {site: _Linear(model, output, site, channels.to(x.device), picked) for site, channels in passing.items()}
    largest, size, epsilon = dict.fromkeys(passing, 0.0), 0.0, 0.0
    for chunk in x.split(batch_size) if passing else ():
        expected = plain.outputs(chunk)
        size, epsilon = max(size, float(expected.abs().max())), torch.finfo(expected.dtype).eps
        for site, without in replaced.items():
            largest[site] = max(largest[site], float((without.outputs(chunk) - expected).abs().max()))
    return {site: Change(change, ROUNDINGS * epsilon * size) for site, change in largest.items()}


class _Linear(Sites):
    """A network with one activation replaced by the identity on some channels and by zero on the others."""

    def __init__(
        self,
        model: nn.Module,
        output: str,
        site: str | None = None,
        passing: Tensor | None = None,
        picked: Callable[[Any], Any] = pick,
    ) -> None:
        super().__init__(model, self._look, picked=picked)
        self._output, self._site, self._passing = output, site, passing
        self._outputs = torch.empty(0)
        self._potential: Tensor | None = None

    def outputs(self, x: Inputs) -> Tensor:
        """The output layer's potentials for x (N, ...)."""
        self.run(x)
        return self._outputs

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call an operation, or what stands in its place: under the same name, by which the sites are recognised."""

        @wraps(func)
        def replaceable(*args: Any, **kwargs: Any) -> Any:
            if self._potential is None:
                return func(*args, **kwargs)
            potential, self._potential = self._potential.clone(), None
            activated = func(*args, **kwargs)
            blocked = activated if operation_name(func) in SLOPED else torch.zeros_like(activated)
            # Into the result, which is the potential itself if the activation works in place.
            return activated.copy_(torch.where(self._mask, potential, blocked))

        return super().__torch_function__(replaceable, types, args, kwargs)

    def _look(self, name: str, potential: Tensor, channels: int) -> None:
        if name == self._output:
            self._outputs = potential.clone()
        if name == self._site and self._passing is not None:
            self._potential = potential
            shape = [1] * potential.dim()
            shape[channels] = -1
            self._mask = self._passing.view(shape)
