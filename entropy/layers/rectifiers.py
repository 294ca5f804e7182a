"""The layers of a network by their rectifiers: entropy, importance, and whether the rectifier does anything at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from entropy.layers.budget import layer_budget
from entropy.layers.estimator import Estimator
from entropy.layers.linear import Change, linear_channels, output_changes
from entropy.layers.signs import Signs, batches_of_signs
from minima.zoo.anatomy.producers import producers
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick


@dataclass(frozen=True)
class Weight:
    """The weight whose output an activation gets."""

    name: str
    left: int
    """entries that are not zero"""
    magnitude: float
    """mean absolute value of these; 0 if there are none"""


@dataclass(frozen=True)
class Rectifier:
    """An activation and what goes into it: a layer in the sense of EGP, NEPENTHE and EASIER."""

    name: str
    """the site"""
    signs: Signs
    entropy: float
    """H_l in bits"""
    estimator: Estimator
    change: Change | None
    """of the outputs when it is left out; None where it is needed, some channel having potentials of both signs"""
    weight: Weight | None

    @property
    def importance(self) -> float | None:
        """I_l = H_l times the mean |w| of the weights left in the layer before it; None where there is no layer."""
        return self.entropy * self.weight.magnitude if self.weight else None

    @property
    def removable(self) -> bool:
        """Whether the network's outputs on these examples stay the same when it is left out, which was tried."""
        return self.change is not None and self.change.none

    def summary(self) -> dict[str, Any]:
        """The layer's entry in the JSON object."""
        return {
            "name": self.name,
            "entropy": self.entropy,
            "neurons": self.signs.observed.size,
            "always_on": int(self.estimator.always_on(self.signs).sum()),
            "always_off": int(self.estimator.always_off(self.signs).sum()),
            "removable": self.removable,
            "max_output_change": self.change.largest if self.change else None,
            "weight": self.weight.name if self.weight else None,
            "weights_left": self.weight.left if self.weight else None,
            "importance": self.importance,
        }


def rectifiers(
    model: nn.Module,
    x: Inputs,
    estimator: Estimator,
    *,
    batch_size: int,
    published: bool = False,
    picked: Callable[[Any], Any] = pick,
) -> tuple[list[Rectifier], dict[str, tuple[int, ...]]]:
    """Every activation of `model` over the examples x (N, ...), in forward order; the output layer has none.

    In eval mode; the model comes out as it went in. Entropies are of the whole data set, whatever the batch size, or,
    as `published`, the mean of those of the mini-batches, in the order of x and however small the last one is.
    Also returned: the inputs of activations that have no row per example (shapes by name), which are no neurons.

    >>> import torch
    >>> from entropy.layers.estimators.egp import Egp
    >>> model = nn.Sequential(nn.Identity(), nn.ReLU(), nn.Linear(1, 2))
    >>> (layer,), _ = rectifiers(model, torch.tensor([[2.0], [-1], [1], [-3]]), Egp(), batch_size=4)
    >>> layer.name, layer.entropy, layer.removable
    ('input', 1.0, False)
    """
    signs: dict[str, Signs] = {}
    of_batches: dict[str, list[float]] = {}
    with evaluating(model):
        for batch in batches_of_signs(model, x, batch_size, picked):
            signs = {name: signs[name] + new if signs else new for name, new in batch.signs.items()}
            for name, new in batch.signs.items() if published else ():
                of_batches.setdefault(name, []).append(estimator.published_entropy(new))
        channels = {name: linear_channels(site) for name, site in signs.items()}
        passing = {name: each for name, each in channels.items() if each is not None}
        changes = output_changes(model, x, batch_size, batch.output, passing, picked)
        weights = producers(model, x[:1], picked)
    layers = [
        Rectifier(
            name=name,
            signs=site,
            entropy=_mean(of_batches[name]) if published else estimator.layer_entropy(site),
            estimator=estimator,
            change=changes.get(name),
            weight=_weight(model, weights[name]),
        )
        for name, site in signs.items()
    ]
    return layers, batch.skipped


def budgets(layers: Sequence[Rectifier], zeta: float) -> dict[str, int]:
    """How many weights each layer loses, by site, when a fraction `zeta` of all goes (see `layer_budget`).

    A weight that several activations share counts for the first of them; sites without a weight are left out.
    """
    first = by_weight(layers)
    importance = {name: layer.importance or 0.0 for name, layer in first.items()}
    left = {name: layer.weight.left for name, layer in first.items() if layer.weight}
    planned = layer_budget(importance, left, zeta)
    return {layer.name: planned[name] for name, layer in first.items()}


def by_weight(layers: Sequence[Rectifier]) -> dict[str, Rectifier]:
    """The first activation that gets the output of each weight, by the weight's name."""
    return {layer.weight.name: layer for layer in reversed(layers) if layer.weight}


def _weight(model: nn.Module, name: str | None) -> Weight | None:
    if name is None:
        return None
    weight = model.get_parameter(name).detach()
    left = int(weight.count_nonzero())
    return Weight(name, left, float(weight.double().abs().sum()) / max(left, 1))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
