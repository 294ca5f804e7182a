"""Fine-tuning at a rate that falls as the network empties, with the layers frozen that hardly answer (ICE-Pruning)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.training.loop import Trainer
    from minima.zoo.training.recipe import Recipe
    from pruning.recoveries.cut import Cut

FINAL = 2.0
"""factor of the rate after the last layer (the authors' code)"""


@dataclass(frozen=True)
class AwareRate(Recovery):
    """After each cut a fresh optimiser at `aware_rate` of what is left.

    After the first one a trial comes before: an epoch of training that is then taken back. The fraction `freeze` of the
    layers whose weights changed least in it does not train from there on (it goes on being pruned). The epoch of the
    trial is not counted. Once the last layer is pruned, `final` epochs follow (None: all that are left) at twice the
    rate that the density at the end calls for.
    """

    freeze: float
    centre: float
    steepness: float
    drop: float
    final: int | None = None
    sets_rate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.freeze < 1:
            raise BadInput(f"--freeze {self.freeze}: expected a fraction of the layers, at least 0 and below 1")
        if not 0 < self.centre < 0.5:
            raise BadInput(f"--centre {self.centre}: expected a sparsity above 0 and below 0.5")
        if not 0 <= self.drop < 1:
            raise BadInput(f"--drop {self.drop}: expected a fraction of the rate, at least 0 and below 1")
        if not self.steepness > 0:
            raise BadInput(f"--steepness {self.steepness}: expected more than 0")
        if self.final is not None and self.final < 0:
            raise BadInput(f"--final-epochs {self.final}: expected 0 epochs or more")

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        if cut.first and self.freeze and cut.epochs:
            changes = _trial(trainer, cut)
            names = least_changed(changes, self.freeze)[: len(changes) - 1]  # one goes on, or nothing could train
            trainer.freeze([each for name in names for each in layer_of(name, trainer, cut.counted)])
        trainer.restart(replace(cut.recipe, lr=self._rate(cut.density, cut.recipe)), cut.epochs)

    def finish(self, trainer: Trainer, cut: Cut) -> int:
        epochs = cut.epochs if self.final is None else min(self.final, cut.epochs)
        if epochs:
            rate = FINAL * self._rate(cut.density, cut.recipe)
            trainer.restart(replace(cut.recipe, lr=rate), epochs)
        return epochs

    def _rate(self, density: float, recipe: Recipe) -> float:
        return aware_rate(density, recipe.lr, self.centre, self.steepness, self.drop * recipe.lr)


def aware_rate(density: float, base: float, centre: float, steepness: float, drop: float) -> float:
    """base - drop / (1 + (x / (2 (1 - p) - x))^beta), x being the density, p the centre and beta the steepness.

    A sigmoid in x: base near 1, base - drop / 2 at 1 - p, base - drop below.

    >>> [round(aware_rate(x, 0.001, 0.12, 50, 7.5e-4), 8) for x in (1, 0.95, 0.88, 0.8, 0.5)]
    [0.001, 0.00099974, 0.000625, 0.00025008, 0.00025]
    """
    return base - drop / (1 + (density / (2 * (1 - centre) - density)) ** steepness)


def least_changed(changes: Mapping[str, float], fraction: float) -> list[str]:
    """The ceil(fraction n) of n layers that changed least.

    >>> least_changed({"a": 0.3, "b": 0.1, "c": 0.2, "d": 0.4}, 0.5)
    ['b', 'c']
    """
    return sorted(changes, key=lambda name: changes[name])[: math.ceil(fraction * len(changes))]


def layer_of(weight: str, trainer: Trainer, weights: Sequence[str]) -> Sequence[str]:
    """One of the `weights` with the parameters that follow it up to the next: its bias, and the norm behind it."""
    names = [name for name, _ in trainer.model.named_parameters()]
    start = names.index(weight)
    end = next((place for place in range(start + 1, len(names)) if names[place] in weights), len(names))
    return names[start:end]


def _trial(trainer: Trainer, cut: Cut) -> dict[str, float]:
    """| ||after||_1 - ||before||_1 | / ||unpruned||_2 of each prunable tensor, of one epoch; all is as before it."""
    state = trainer.state_dict()
    before = _sizes(cut.counted, state["model"])
    trainer.restart(cut.recipe, 1)
    trainer.run_epoch()
    after = _sizes(cut.counted, trainer.model.state_dict())
    trainer.load_state_dict(state)
    unpruned = {name: float(cut.parent.state[name].double().norm()) for name in before}
    return {name: abs(after[name] - before[name]) / max(unpruned[name], 1e-12) for name in before}


def _sizes(names: Sequence[str], state: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(state[name].double().abs().sum()) for name in names}
