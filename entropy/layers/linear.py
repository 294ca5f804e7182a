"""Whether an activation could be left out: the network is run with it replaced, and the outputs are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from entropy.layers.signs import Signs
from minima.zoo.anatomy.operations import SLOPED
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick

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


class _Linear:
    """A network with one activation replaced by the identity on some channels and by zero on the others."""

    def __init__(
        self,
        model: nn.Module,
        output: str,
        site: str | None = None,
        passing: Tensor | None = None,
        picked: Callable[[Any], Any] = pick,
    ) -> None:
        self._sites = Sites(model, self._look, self._replace, picked)
        self._output, self._site, self._passing = output, site, passing
        self._outputs = torch.empty(0)
        self._potential = torch.empty(0)

    def outputs(self, x: Inputs) -> Tensor:
        """The output layer's potentials for x (N, ...)."""
        self._sites.run(x)
        return self._outputs

    def _look(self, name: str, potential: Tensor, _channels: int) -> None:
        if name == self._output:
            self._outputs = potential.clone()
        if name == self._site:
            self._potential = potential.clone()  # before an activation in place changes it

    def _replace(self, name: str, activated: Tensor, channels: int) -> None:
        """Write what stands in an activation's place into its result."""
        activation = self._sites.found[name].operation
        if name == self._site and self._passing is not None and activation is not None:
            shape = [1] * activated.dim()
            shape[channels] = -1
            blocked = activated if activation.name in SLOPED else torch.zeros_like(activated)
            activated.copy_(torch.where(self._passing.view(shape), self._potential, blocked))
