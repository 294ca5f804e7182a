"""Runs of ICE-Pruning on a share of the examples, by points of a grid, and which of them is best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.inputs import part_of
from minima.zoo.seeds import derive
from minima.zoo.subject.handed import copied
from minima.zoo.training.loop import Trainer
from pruning.composition.cutting import reachable
from pruning.composition.method import Method, methods
from pruning.running.engine import Engine
from pruning.running.job import trained_by

if TYPE_CHECKING:
    from minima.zoo.data.splits import Splits
    from minima.zoo.subject.subject import Subject

GRID: Mapping[str, tuple[float, ...]] = {
    "threshold": (0.5, 1.5),
    "freeze": (0.3, 0.9),
    "lr": (0.001, 0.005),
    "centre": (0.1, 0.15, 0.2),
    "steepness": (40.0, 50.0, 60.0),
    "drop": (0.6, 0.7, 0.8),
}
"""as published for CIFAR; `drop` as a fraction of the rate 0.001 that the published one is a part of"""
Point = Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """One run with its settings, and what it cost and lost."""

    point: Point
    """settings; none for the method's own"""
    steps: int
    """of training"""
    fall: float
    """of the validation score, a fraction; below 0 where it has risen"""


def points(trials: int, seed: int) -> list[Point]:
    """So many different points of the grid, drawn at random.

    >>> len(points(6, 0)), len({tuple(each.values()) for each in points(216, 0)})
    (6, 216)
    """
    whole = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    order = np.random.default_rng(derive(seed, "grid")).permutation(len(whole))
    return [whole[place] for place in order[:trials]]


def objective(trial: Trial, reference: Trial, least: float) -> float:
    """t / t0 + d / d0, in which a fall below `least`, that of one example, counts as so much in d0, and none as 0 in d.

    >>> objective(Trial({}, 50, 0.02), Trial({}, 100, 0.01), 0.001)
    2.5
    """
    return trial.steps / max(reference.steps, 1) + max(trial.fall, 0.0) / max(reference.fall, least)


class Search:
    """Runs of a method on one network with different settings, and what they came to."""

    def __init__(self, subject: Subject, splits: Splits, method: str, amount: float, measure: str, epochs: int) -> None:
        self.subject, self.splits, self.measure = subject, splits, measure
        self.method, self.amount, self.epochs = methods()[method], amount, epochs
        self.before = self.accuracy(copied(subject.model))

    def accuracy(self, model: Any) -> float:
        """The accuracy on the held-out part, of which the objective's falls and their floor of one example are.

        Raises:
            BadInput: another score, or none, goes with the loss.
        """
        level = evaluate(model, *self.splits.validation, task=self.splits.task)
        if not math.isfinite(level.accuracy):
            raise BadInput(
                "pruning.tuning weighs steps against falls of accuracy, and the score here is "
                f"{level.score_name or 'none'}: compare runs of the method itself"
            )
        return level.accuracy

    def trial(self, point: Point) -> Trial:
        """Run the method with these settings, and tell what it cost and lost."""
        own = {name: value for name, value in point.items() if name != "lr"}
        method: Method = self.method(**own)
        parts, parent = method.composition().counting(self.measure), self.subject.checkpoint
        recipe = parts.start.recipe(trained_by(parent))
        recipe = replace(recipe, lr=point["lr"]) if "lr" in point else recipe
        recipe = replace(recipe, batch_size=min(recipe.batch_size, len(self.splits.train[0])))
        model = copied(self.subject.model)
        trainer = Trainer(
            model,
            *self.splits.train,
            recipe,
            epochs=self.epochs,
            order_seed=parent.seed,
            masks=dict(self.subject.masks),
            task=self.splits.task,
        )
        engine = Engine(
            parts, trainer, self.splits, asked=(self.amount,), parent=parent, seed=parent.seed, observer=_Nobody()
        )
        reachable(engine.space, engine.masks, (self.amount,), self.measure)
        engine.complete()
        return Trial(point, trainer.steps_done, self.before - self.accuracy(trainer.model))


def few(splits: Splits, share: float, seed: int) -> Splits:
    """The splits with a share of the training examples, drawn at random; at least one.

    Raises:
        BadInput: it is no share, or nothing is held out.
    """
    if not 0 < share <= 1:
        raise BadInput(f"--share {share}: expected a fraction above 0, at most 1")
    if not len(splits.validation[0]):
        raise BadInput(
            "the search judges by examples it does not train on, and none are held out: give --validation 0.1"
        )
    x, y = splits.train
    count = max(1, round(share * len(x)))
    rows = np.sort(np.random.default_rng(derive(seed, "share")).permutation(len(x))[:count]).tolist()
    return replace(splits, train=(part_of(x, rows), part_of(y, rows)))


class _Nobody:
    """Looks on, and keeps nothing."""

    def emit(self, sparsity: float) -> None:
        pass

    def between(self) -> None:
        pass
