"""How far a method cuts before a first layer is left without a weight; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from minima.zoo.anatomy.prunable import prunable
from minima.zoo.training.loop import Trainer
from pruning.composition.guards import Guards
from pruning.context.counts import alive_counts, size
from pruning.running.engine import Engine
from pruning.running.job import trained_by
from pruning.running.room import require_pruning_room

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.subject.subject import Subject
    from pruning.composition.composition import Composition
    from pruning.composition.method import Method

    Counts = Mapping[str, int]
    """weights left in each layer"""


@dataclass(frozen=True)
class Critical:
    """How far a method can cut before a layer of the network is empty."""

    kept: int
    """k*, the number of kept weights at which a layer is empty, and with one more none is"""
    first_empty: str
    """weight of that layer; of several that empty together, the first of the network"""


def critical(left: Callable[[int], Counts], alive: Counts) -> Critical:
    """Bisect for k*: `left(k)` says what remains of each layer where k of the weights `alive` now are kept.

    Collapse is taken as monotone: a layer that is empty at k is empty at all below. Scores that do not depend on k make
    it so. Masks of several rounds are not nested in one another: there k* is an edge, with a layer empty at k* and none
    at k* + 1, and others may lie near it. It is sought from above, in halves, then bisected. With fewer weights than
    layers, one must be empty.

    Ten weights by descending score, each named by its layer: with four or fewer, b is empty.

    >>> left = lambda k: {layer: "aaaabbaaaa"[:k].count(layer) for layer in "ab"}
    >>> critical(left, left(10))
    Critical(kept=4, first_empty='b')
    """
    safe = low = sum(alive.values())
    while (name := _first_empty(left(low := max(low // 2, len(alive) - 1)))) is None:
        safe = low
    while safe - low > 1:
        middle = (low + safe) // 2
        found = _first_empty(left(middle))
        if found is None:
            safe = middle
        else:
            low, name = middle, found
    return Critical(low, name)


def _first_empty(counts: Counts) -> str | None:
    return next((name for name, count in counts.items() if not count), None)


class _Nobody:
    """Looks on without a word."""

    def emit(self, sparsity: float) -> None:
        pass

    def between(self) -> None:
        pass


def kept_weights(subject: Subject) -> dict[str, Tensor]:
    """Masks of all prunable weights, which keep everything where the checkpoint has none."""
    import torch

    weights = prunable(subject.model)
    return {
        name: subject.masks.get(name, torch.ones_like(weight, dtype=torch.bool)) for name, weight in weights.items()
    }


def cutter(method: Method, subject: Subject, seed: int) -> Callable[[int], Counts]:
    """k -> weights left in each layer by `python -m pruning METHOD` before its first step, k of them being kept."""
    total = size(kept_weights(subject))

    def left(kept: int) -> Counts:
        engine = before_training(method.composition(), subject, seed, (1 - kept / total,))
        engine.complete()
        return alive_counts(engine.masks)

    return left


def require_scoring_room(methods: Iterable[Method], subject: Subject, seed: int) -> None:
    """Say what memory the scores of these methods take at most, or refuse it."""
    for method in methods:
        composition = method.composition()
        engine = before_training(composition, subject, seed, (0.5,))
        require_pruning_room(composition, engine.trainer, False, f"cutting by {method.name}")


def before_training(
    parts: Composition, subject: Subject, seed: int, asked: tuple[float, ...], epochs: int = 0
) -> Engine:
    """A run of so many epochs, at its beginning.

    The weights are those the method starts at (the checkpoint's own, or its initial ones), the examples its training
    part, the draws those of `seed`. Whether the scores are sure is not looked at.
    """
    parent, trained = subject.checkpoint, subject.checkpoint.training
    held_out, split_seed = trained.get("validation", 0.0), trained.get("split_seed", parent.seed)
    splits = subject.splits(held_out, split_seed)
    weights, recipe = parts.start.weights(parent), parts.start.recipe(trained_by(parent))
    model = deepcopy(subject.model)
    model.load_state_dict(dict(weights))
    masks = subject.masks | kept_weights(subject)
    trainer = Trainer(model, *splits.train, recipe, epochs=epochs, order_seed=seed, masks=masks, task=splits.task)
    parts = replace(parts, guards=Guards(doubt="ignore"))
    return Engine(parts, trainer, splits, asked=asked, parent=parent, seed=seed, observer=_Nobody())
