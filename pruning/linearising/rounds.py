"""The rounds of a method that takes layers out: cut, put out, train, judge; the whole can be killed and goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from entropy.layers.estimator import estimators
from entropy.layers.rectifiers import by_weight, rectifiers
from minima.zoo.anatomy.activation_modules import activation_modules
from minima.zoo.anatomy.narrowing.manifest import Manifest
from minima.zoo.anatomy.narrowing.narrow import narrow
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.batches import default_batch_size
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.inputs import floats_to
from minima.zoo.seeds import derive
from minima.zoo.subject.handed import copied
from minima.zoo.training.loop import Trainer
from pruning.scopes.entropy_budget import losses
from pruning.selection.ranking import keep_highest
from pruning.shrink.given import in_float64
from pruning.shrink.preparing import empty_static
from pruning.shrink.static.examples import on_examples

if TYPE_CHECKING:
    from entropy.layers.rectifiers import Rectifier
    from minima.zoo.data.splits import Splits
    from minima.zoo.training.plan import Plan
    from minima.zoo.training.unfinished import Unfinished
    from pruning.composition.layer_method import LayerMethod

    Tensors = Mapping[str, Tensor]


@dataclass
class Course:
    """Where a run stands: plain containers and tensors."""

    state: dict[str, Tensor]
    """of the network after the last round that counts"""
    masks: dict[str, Tensor]
    out: list[str] = field(default_factory=list)
    """rectifiers put out, modules by name"""
    rounds: list[dict[str, Any]] = field(default_factory=list)
    """what was found in each: entropies in bits, what was put out, the quality, whether it counts"""
    over: bool = False
    trying: dict[str, Any] | None = None
    """of a round that trains: what it put out, and the trainer"""


class Rounds:
    """Runs a method on a copy of a network until the score has fallen too far."""

    def __init__(  # noqa: PLR0913 (named, and all but five)
        self,
        method: LayerMethod,
        network: nn.Module,
        masks: Tensors,
        splits: Splits,
        plan: Plan,
        *,
        drop: float,
        layers: int | None,
        rounds: int,
        part: Unfinished,
    ) -> None:
        self.method, self.network, self.splits, self.plan, self.part = method, network, splits, plan, part
        self.drop, self.layers, self.rounds = drop, layers, rounds
        self.task = splits.task
        stopped = part.load()
        start = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.course = Course(**stopped) if stopped else Course(start, dict(masks))

    def complete(self) -> Course:
        """Run the rounds to their end."""
        course = self.course
        before = self.quality(self.model(course.out, course.state))
        while not course.over:
            trainer = self._trying() or self._begun()
            if trainer is None:
                course.over = True
                break
            for _ in trainer.pieces(self.plan.epochs * trainer.steps_per_epoch, trainer.steps_per_epoch):
                trainer.validate(self.splits)
                self.part.offer(partial(self._state, trainer))
            self._judge(trainer, before)
            self.part.save(self._state(None))
        return course

    def model(self, out: list[str], state: Tensors) -> nn.Module:
        """The network with these rectifiers put out, and these tensors."""
        model = copied(self.network)
        narrow(model, Manifest(identities=tuple(name for name in out if name not in _gone(model))))
        model.load_state_dict(dict(state))
        return model

    def quality(self, model: nn.Module) -> float:
        """The score on the held-out part; where there is none, the loss below zero."""
        level = evaluate(model, *self.splits.validation, task=self.task)
        return level.score if math.isfinite(level.score) else -level.loss

    def _state(self, trainer: Trainer | None) -> dict[str, Any]:
        course = self.course
        trying = course.trying if trainer is None else (course.trying or {}) | {"trainer": trainer.state_dict()}
        plain = {name: getattr(course, name) for name in ("state", "masks", "out", "rounds", "over")}
        return plain | {"trying": trying}

    def _trying(self) -> Trainer | None:
        """The trainer of a round that was stopped."""
        trying = self.course.trying
        if trying is None:
            return None
        trainer = self._trainer(trying["out"], trying["state"], trying["masks"])
        if "trainer" in trying:
            trainer.load_state_dict(trying["trainer"])
        return trainer

    def _begun(self) -> Trainer | None:
        """The trainer of the next round; None where nothing is left to be done."""
        course = self.course
        if len(course.rounds) >= self.rounds or (self.layers is not None and len(course.out) >= self.layers):
            return None
        model = self.model(course.out, course.state)
        entropies, places, found = self._entropies(model)
        chosen = [places[site] for site in self.method.next({site: entropies[site] for site in places})]
        if not chosen and not self.method.removed:
            return None
        masks = cut(model, course.masks, found, self.method.removed) if self.method.removed else course.masks
        if masks is None:
            return None
        out = [*course.out, *chosen]
        course.trying = {
            "out": out,
            "masks": masks,
            "state": {name: value.detach().clone() for name, value in model.state_dict().items()},
            "entropies": {places.get(site, site): bits for site, bits in entropies.items()},
        }
        return self._trainer(out, course.trying["state"], masks)

    def _trainer(self, out: list[str], state: Tensors, masks: Tensors) -> Trainer:
        return Trainer(
            self.model(out, state),
            *self.splits.train,
            self.plan.recipe,
            epochs=self.plan.epochs,
            order_seed=derive(self.plan.order_seed, "round", len(self.course.rounds)),
            masks=masks,
            task=self.task,
        )

    def _entropies(self, model: nn.Module) -> tuple[dict[str, float], dict[str, str], list[Rectifier]]:
        """Entropy of each site in bits, and which module applies its rectifier, where that can be put out."""
        x, picked = self.splits.train[0], self.task.picked
        estimator = estimators()[self.method.estimator]()
        with torch.no_grad():
            found, _ = rectifiers(model.eval(), x, estimator, batch_size=default_batch_size(x), picked=picked)
            places, _ = activation_modules(model, x[:1], picked)
        return {each.name: each.entropy for each in found}, places, list(found)

    def _judge(self, trainer: Trainer, before: float) -> None:
        course, trying = self.course, self.course.trying
        assert trying is not None
        model, out, masks = trainer.model.eval(), list(trying["out"]), dict(trainer.masks)
        if self.method.idle:
            out, masks = self._idle(model, out, masks)
        now = self.quality(model)
        fits = before - now <= self.drop * (1.0 if before >= 0 else abs(before) or 1.0)
        round_ = {"entropies": trying["entropies"], "out": out, "quality": now, "counts": fits}
        course.rounds.append(round_)
        course.trying = None
        if fits:
            course.state = {name: value.detach().clone() for name, value in model.state_dict().items()}
            course.masks, course.out = masks, out
        else:
            course.over = True

    def _idle(self, model: nn.Module, out: list[str], masks: dict[str, Tensor]) -> tuple[list[str], dict[str, Tensor]]:
        """Empty units that are off on all training examples, put out rectifiers that then do nothing, in place."""
        x = self.splits.train[0]
        exact, wide = in_float64(model).cpu(), floats_to(x, torch.float64).to("cpu")
        empty_static(exact, wide[:1], lambda network: on_examples(network, wide))
        emptied = dict(exact.named_parameters())
        with torch.no_grad():
            for name, value in model.named_parameters():
                gone = (emptied[name] == 0).to(value.device) & (value != 0)
                if gone.any():
                    value.masked_fill_(gone, 0)
                    masks[name] = masks.get(name, torch.ones_like(gone)) & ~gone
        idle = [name for name in on_examples(model, x).idle if name not in out]
        room = len(idle) if self.layers is None else max(0, self.layers - len(out))
        narrow(model, Manifest(identities=tuple(idle[:room])))
        return [*out, *idle[:room]], masks


def cut(model: nn.Module, masks: Tensors, found: list[Rectifier], fraction: float) -> dict[str, Tensor] | None:
    """Masks after a fraction of the weights left has gone, shared out by entropy times magnitude; None where none is
    left to go."""
    weights = prunable(model)
    alive = {name: masks.get(name, torch.ones_like(value, dtype=torch.bool)) for name, value in weights.items()}
    living = {name: int(mask.sum()) for name, mask in alive.items()}
    importance = {weight: layer.importance or 0.0 for weight, layer in by_weight(found).items()}
    spare = {name: max(0, count - 1) for name, count in living.items()}
    removed = min(round(fraction * sum(living.values())), sum(spare.values()))
    if not removed:
        return None
    lost = losses({name: importance.get(name, 0.0) for name in living}, spare, removed)
    pools = [((name,), living[name] - lost[name]) for name in living]
    scores = {name: value.detach().abs() for name, value in weights.items()}
    return dict(masks) | keep_highest(scores, alive, pools)


def _gone(model: nn.Module) -> set[str]:
    return {name for name, module in model.named_modules() if type(module) is nn.Identity}
