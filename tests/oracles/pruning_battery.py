"""What every pruning method owes, as checks of one method each: run over all registered ones, and over new ones."""

from __future__ import annotations

import contextlib
import copy
import io
from functools import lru_cache
from unittest.mock import patch

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.data.splits import Splits
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from pruning.composition.composition import Composition
from pruning.composition.cutting import choose
from pruning.running.engine import Engine
from pruning.schedules.fixed import Fixed
from pruning.scorers.scorer import scored
from pruning.selection.exact import Exact
from pruning.triggers.always import Always
from pruning.unit_criteria.batch_norm import BatchNorm

EPOCHS, BATCH = 16, 8
FOLLOWS_THE_LOSS_SCALE = {"prospr"}
"""methods whose order of weights changes with the unit of the loss: its inner steps have a fixed rate"""
SGD = Recipe(lr=0.1, momentum=0.9, weight_decay=0.01, batch_size=BATCH)
ADAM = Recipe(optimiser="adam", lr=0.01, weight_decay=0.01, batch_size=BATCH)


class EveryKind(nn.Module):
    """Convolution, batch norm, dropout, linear layers, and a weight that two layers share."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3)
        self.drop, self.first = nn.Dropout(0.1), nn.Linear(48, 8)
        self.shared, self.again, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)
        self.again.weight = self.shared.weight

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x))).flatten(1)  # (N, 3, 4, 4) -> (N, 48)
        x = torch.relu(self.first(self.drop(x)))
        return self.last(torch.relu(self.again(torch.relu(self.shared(x)))))


@lru_cache(maxsize=1)
def examples() -> Splits:
    """Images whose class is the quadrant that is bright, noisy enough for the validation loss to stop falling."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(56) % 4
    x = 0.6 * torch.randn(56, 1, 6, 6, generator=generator)
    for index, label in enumerate(y.tolist()):
        row, column = divmod(label, 2)
        x[index, 0, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3] += 1
    return Splits((x[:40], y[:40]), (x[40:48], y[40:48]), (x[48:], y[48:]))


@lru_cache(maxsize=1)
def trained() -> Checkpoint:
    """A parent, trained a little."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = EveryKind()
    initial = copy.deepcopy(model.state_dict())
    Trainer(model, *examples().train, SGD, epochs=6, order_seed=0).advance(30)
    return Checkpoint(model={}, data={}, state=model.state_dict(), weights_at={0: initial})


class Run:
    """A method's run on the small network; `moments` holds (masks, weights) after each piece of training."""

    def __init__(self, parts: Composition, asked=(0.5, 0.8), recipe=SGD, seed=0, stop_after=None, state=None) -> None:
        self.asked = asked if parts.schedule.gradual else asked[-1:]
        if isinstance(parts.scorer, BatchNorm):  # only the convolution's channels can go
            self.asked = tuple(0.5 * level for level in self.asked)
        if isinstance(parts.schedule, Fixed):
            self.asked = (parts.schedule.sparsity,)
        model = EveryKind()
        model.load_state_dict(parts.start.weights(trained()))
        masks = {name: torch.ones_like(weight, dtype=torch.bool) for name, weight in prunable(model).items()}
        trainer = Trainer(
            model,
            *examples().train,
            recipe,
            epochs=EPOCHS,
            order_seed=0,
            masks=masks,
            around_step=parts.update.around(model),
        )
        trainer.loosen(parts.loose(model))
        self.moments, self.emitted, self.states, self.stop_after = [], {}, [], stop_after
        self.engine = Engine(parts, trainer, examples(), asked=self.asked, parent=trained(), seed=seed, observer=self)
        if state is not None:
            self.engine.load_state_dict(state)
        with contextlib.suppress(InterruptedError):
            self.engine.complete()

    def _snapshot(self):
        model = self.engine.trainer.model
        weights = {name: model.get_parameter(name).detach().clone() for name in self.engine.masks}
        return {name: mask.clone() for name, mask in self.engine.masks.items()}, weights

    def between(self) -> None:
        self.moments.append(self._snapshot())
        if len(self.moments) == self.stop_after:
            self.states.append(through_a_file(self.engine.state_dict()))
            raise InterruptedError

    def emit(self, sparsity: float) -> None:
        self.emitted[sparsity] = self._snapshot()

    @property
    def final(self):
        return {name: value.clone() for name, value in self.engine.trainer.model.state_dict().items()}


def through_a_file(state: dict) -> dict:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def decides_by_itself(parts: Composition) -> bool:
    """Whether the method may stop before its target."""
    return not isinstance(parts.trigger, Always) or not isinstance(parts.select, Exact)


def losers_rest(run: Run, masks: dict, weights: dict) -> bool:
    """Whether what is removed is exactly zero, or exactly what a method that holds its losers holds them at."""
    rest = {name: torch.zeros_like(weight) for name, weight in weights.items()} | run.engine.trainer.rest
    return all(torch.equal(weights[name][~mask], rest[name][~mask]) for name, mask in masks.items())


def check_describes_itself(method) -> None:
    assert method.name
    assert method.summary
    assert method.paper
    assert method.phase in ("before training", "during training", "after training")
    assert method.__doc__
    assert {"scorer", "schedule"} <= method().composition().describe().keys()


def check_every_asked_sparsity_is_met_exactly(method) -> None:
    parts = method().composition()
    run = Run(parts)
    assert set(run.emitted) == set(run.asked)
    space = run.engine.space
    for level, (masks, weights) in run.emitted.items():
        target, kept = space.target(run.engine.total, level), space.left(masks)
        if space.groups:  # are whole: the first cut at or beyond the target
            dearest = max(1, *(_taken_by_one_more(space, masks, group) for group in space.groups))
            assert kept <= target < kept + dearest or (decides_by_itself(parts) and kept > target)
        else:
            assert kept == sum(int(mask.sum()) for mask in masks.values())
            assert kept == target or (decides_by_itself(parts) and kept > target)
        assert losers_rest(run, masks, weights)


def _taken_by_one_more(space, masks: dict, group) -> int:
    """What is left more if a unit of the group comes back with all that is left to read."""
    back = {name: mask.clone() for name, mask in masks.items()}
    units = space.units(masks)[group.name]
    if units.all():
        return 0
    unit = int((~units).nonzero()[0])
    for (name, axis), places in group.places.items():
        back[name].index_fill_(axis, torch.as_tensor(places[unit]), True)
    return space.left(back) - space.left(masks)


def check_a_removed_unit_is_gone_wherever_it_has_entries(method) -> None:
    run = Run(method().composition())
    space = run.engine.space
    for masks, weights in run.moments:
        for group in space.groups:
            gone = ~space.units(masks)[group.name]
            for (name, axis), places in group.places.items():
                entries = torch.as_tensor(places)[gone].flatten()
                assert not weights[name].index_select(axis, entries).any()
    assert not space.groups or decides_by_itself(method().composition()) or run.engine.space.shares(masks)["units"] > 0


def check_removed_weights_stay_zero(method) -> None:
    parts = method().composition()
    for recipe in (SGD, ADAM):
        run = Run(parts, recipe=recipe)
        before = run.moments[0][0]
        for masks, weights in run.moments:
            assert losers_rest(run, masks, weights)
            if parts.regrow is None and parts.straight_through is None:
                assert all(not (mask & ~before[name]).any() for name, mask in masks.items())
            before = masks
        assert decides_by_itself(parts) or not all(mask.all() for mask in before.values())


def check_same_seed_same_bytes(method) -> None:
    parts = method().composition()
    first, second = Run(parts), Run(parts)
    assert same(first.final, second.final)
    assert same(first.engine.masks, second.engine.masks)


def check_a_stopped_run_goes_on_to_the_same_bytes(method) -> None:
    parts = method().composition()
    whole = Run(parts)
    for stop in (1, len(whole.moments) // 3, len(whole.moments) // 2, len(whole.moments) - 1):
        stopped = Run(parts, stop_after=max(1, stop))
        resumed = Run(parts, state=stopped.states[0])
        assert same(resumed.final, whole.final)
        assert same(resumed.engine.masks, whole.engine.masks)
        assert resumed.engine.cuts == whole.engine.cuts
        for sparsity, (masks, weights) in (stopped.emitted | resumed.emitted).items():
            assert same(masks, whole.emitted[sparsity][0])
            assert same(weights, whole.emitted[sparsity][1])


def check_scoring_leaves_everything_as_it_was(method) -> None:
    run = Run(method().composition(), stop_after=7)
    model = run.engine.trainer.model.train()
    model.conv.eval()
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    state, modes = copy.deepcopy(model.state_dict()), [module.training for module in model.modules()]
    trained = [parameter.requires_grad for parameter in model.parameters()]
    random_state = torch.get_rng_state()
    scorer, space = run.engine.composition.scorer, run.engine.space
    scores = scorer.score(run.engine.context())
    shapes = {} if scored(scorer) == "units" else {name: each.shape for name, each in space.weights(model).items()}
    shapes |= {} if scored(scorer) == "weights" else {group.name: (group.size,) for group in space.groups}
    assert scores.keys() == shapes.keys() or isinstance(scorer, BatchNorm)
    assert all(score.shape == shapes[name] for name, score in scores.items())
    assert same(state, model.state_dict())
    assert modes == [module.training for module in model.modules()]
    assert all((parameter.grad == 0.5).all() for parameter in model.parameters())
    assert trained == [parameter.requires_grad for parameter in model.parameters()]
    assert torch.equal(random_state, torch.get_rng_state())


def check_the_unit_of_the_loss_changes_the_order_only_where_the_formula_does(method) -> None:
    run = Run(method().composition(), stop_after=7)
    orders = []
    for unit in (1.0, 2.0**-6):  # a power of two rounds nothing

        def scaled(*words, unit=unit, **named):
            return unit * cross_entropy(*words, **named)

        with patch("torch.nn.functional.cross_entropy", scaled):
            scores = run.engine.composition.scorer.score(run.engine.context())
        orders.append(torch.cat([score.flatten() for score in scores.values()]).argsort(stable=True))
    assert torch.equal(*orders) == (method().name not in FOLLOWS_THE_LOSS_SCALE)


def check_choosing_leaves_the_weights_as_they_were(method) -> None:
    run = Run(method().composition(), stop_after=7)
    state, engine = run.final, run.engine
    choose(engine.composition, engine.context(), engine.alive // 2)
    assert same(state, run.final)


CHECKS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]
