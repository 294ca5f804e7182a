"""Neurons at equilibrium: training that leaves those alone whose output has stopped changing (NEq)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from minima.store.command import BadInput, note
from minima.zoo.anatomy.neurons import layers, potentials
from minima.zoo.examples.batches import default_batch_size
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call
from minima.zoo.subject.handed import copied
from minima.zoo.training.backward import Backward, backward_of
from minima.zoo.training.freezing import Equilibrium

if TYPE_CHECKING:
    from minima.zoo.data.splits import Splits
    from minima.zoo.training.loop import Step, Trainer

Rows = dict[str, Tensor]
"""(units,) for each layer"""


class Watch:
    """Freezes the neurons of a training run whose velocity is small, from epoch to epoch.

    At each end of an epoch the network of then and that of the epoch before are run over the held-out examples, in eval
    mode. With phi_i(t) the similarity of neuron i's outputs in the two (see `similarities`) its velocity is (Bragagnolo
    et al. 2022)

    paper form  v(t) = phi(t) - phi(t - 1) - momentum x v(t - 1)
    code form   v(t) = phi(t) - phi(t - 1) + momentum x v(t - 1), up to sign as the authors' code has it

    from v = 0, and a neuron with |v| < threshold is left out of the next epoch: its row of the weight and its bias stay
    bit by bit, whatever momentum and weight decay would do, and their momenta are 0. It is watched on, and may come
    back. The first choice is made after the second epoch.
    """

    def __init__(self, settings: Equilibrium, trainer: Trainer, splits: Splits) -> None:
        self.settings, self.trainer = settings, trainer
        self.backward = backward_of(trainer.model, splits.train[0])
        self.layers = watched(trainer.model, self.backward)
        if not self.layers:
            raise BadInput(
                "--equilibrium: the network has no linear layer or convolution whose weights train: there are no "
                "neurons to watch"
            )
        held_out = len(splits.validation[0]) > 0
        if not held_out:
            note("--equilibrium: nothing is held out, so that neurons are watched on the training examples")
        self.x: Inputs = (splits.validation if held_out else splits.train)[0]
        self.before = copied(trainer.model)
        self.similarity: Rows = {}
        self.velocity: Rows = {}
        self.frozen: Rows = {name: _none_of(layer) for name, layer in self.layers.items()}
        self.updated: list[list[int]] = []
        """of each epoch behind the run, how many neurons of each layer were trained"""

    def around(self, step: Step) -> None:
        """The optimiser's step, without the neurons that are frozen."""
        held = [(parameter, rows, parameter.detach()[rows].clone()) for parameter, rows in self._frozen_rows()]
        step()
        with torch.no_grad():
            for parameter, rows, values in held:
                parameter[rows] = values
                for slot in self.trainer.update.slots_of(parameter):
                    slot[rows] = 0

    def end_of_epoch(self) -> None:
        """Count what was trained in the epoch that ended, and choose what is left out of the next."""
        self.updated.append([int((~rows).sum()) for rows in self.frozen.values()])
        similarity = similarities(self.trainer.model, self.before, self.x, [*self.layers])
        if self.similarity:
            self.velocity = {name: self._velocity(name, phi) for name, phi in similarity.items()}
            self.frozen = {name: v.abs() < self.settings.threshold for name, v in self.velocity.items()}
        self.similarity = similarity
        self.before.load_state_dict(self.trainer.model.state_dict())

    def metrics(self) -> dict[str, Any]:
        """What a finished checkpoint says: counts of neurons, steps of each that were left out, and multiply-adds of
        the backward passes of each epoch."""
        examples, steps = len(self.trainer.x), self.trainer.steps_per_epoch
        names, neurons = [*self.frozen], [len(rows) for rows in self.frozen.values()]
        spent = [examples * self.backward.of(dict(zip(names, epoch, strict=True))) for epoch in self.updated]
        return {
            "layers": names,
            "neurons": neurons,
            "updated": self.updated,
            "updates": steps * sum(neurons) * len(self.updated),
            "skipped_updates": steps * sum(sum(neurons) - sum(epoch) for epoch in self.updated),
            "backward_multiply_adds": spent,
            "full_backward_multiply_adds": [examples * self.backward.whole] * len(spent),
        }

    def state_dict(self) -> dict[str, Any]:
        """What a stopped run needs to go on to the same bytes."""
        before = {name: value.detach().clone() for name, value in self.before.state_dict().items()}
        rows = {key: dict(getattr(self, key)) for key in ("similarity", "velocity", "frozen")}
        return {"before": before, "updated": [list(epoch) for epoch in self.updated]} | rows

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to where `state_dict` was taken."""
        self.before.load_state_dict(state["before"])
        for key in ("similarity", "velocity", "frozen"):
            setattr(self, key, {name: rows.to(self.frozen[name].device) for name, rows in state[key].items()})
        self.updated = [list(epoch) for epoch in state["updated"]]

    def _velocity(self, name: str, phi: Tensor) -> Tensor:
        last = self.velocity.get(name, torch.zeros_like(phi))
        sign = -1 if self.settings.form == "paper" else 1
        return phi - self.similarity[name] + sign * self.settings.momentum * last

    def _frozen_rows(self) -> list[tuple[nn.Parameter, Tensor]]:
        """Parameters with the rows that stay; of a tensor that several layers share, those frozen in each."""
        found: dict[int, tuple[nn.Parameter, Tensor]] = {}
        for name, layer in self.layers.items():
            for parameter in (layer._parameters["weight"], layer._parameters.get("bias")):
                if parameter is not None and parameter.requires_grad:
                    known = found.get(id(parameter))
                    rows = self.frozen[name] if known is None else known[1] & self.frozen[name]
                    found[id(parameter)] = (parameter, rows)
        return [(parameter, rows) for parameter, rows in found.values() if bool(rows.any())]


def similarities(now: nn.Module, before: nn.Module, x: Inputs, names: Sequence[str]) -> Rows:
    """phi (units,) in float64 of the linear layers and convolutions of these names: the cosine between each neuron's
    outputs, before the activation, in two networks of one shape; over all examples x (N, ...) and positions.

    1 where both outputs are 0 throughout, 0 where one is. A layer that is called more than once counts as it is called
    last; one that is not called has similarity 1.
    """
    sums: dict[str, Tensor] = {}
    size = default_batch_size(x)
    with evaluating(now), evaluating(before), torch.no_grad(), potentials(now) as new, potentials(before) as old:
        for first in range(0, len(x), size):
            some = x[first : first + size]
            call(now, some)
            call(before, some)
            for name in new:
                one, other = (_by_unit(found[name], now.get_submodule(name)) for found in (new, old))
                own = torch.stack([(one * other).sum(1), one.square().sum(1), other.square().sum(1)])
                sums[name] = sums[name] + own if name in sums else own
    units = {name: _none_of(now.get_submodule(name)) for name in names}
    return {name: _cosine(*sums[name]) if name in sums else torch.ones_like(units[name]).double() for name in names}


def _cosine(product: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """product / sqrt(one x other), of sums of squares."""
    zeros = (one == 0).double() + (other == 0).double()
    cosine = product / (one.sqrt() * other.sqrt()).where(zeros == 0, 1.0)
    return cosine.where(zeros == 0, (zeros == 2).double())


def _by_unit(made: Tensor, layer: nn.Module) -> Tensor:
    """(n, units, ...) of a convolution, (n, ..., units) of a linear layer -> (units, n x positions) in float64."""
    axis = 1 if isinstance(layer, nn.modules.conv._ConvNd) else -1
    return made.double().movedim(axis, 0).flatten(1)


def watched(model: nn.Module, backward: Backward) -> dict[str, nn.Module]:
    """Layers with a weight of their own that trains and whose outputs are seen in a pass: not what a network never
    calls, nor what it computes with a layer's weight without calling it, as torch's attention does."""
    found = layers(model)
    weights = {name: layer._parameters.get("weight") for name, layer in found.items()}
    trained = {name for name, weight in weights.items() if weight is not None and weight.requires_grad}
    return {name: layer for name, layer in found.items() if name in trained and name in backward.neurons}


def _none_of(layer: nn.Module) -> Tensor:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return torch.zeros(len(weight), dtype=torch.bool, device=weight.device)
