"""A network on which weights or inputs are changed for the time of a measurement."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from minima.store.command import note
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.evaluation import Evaluation, evaluate, evaluating
from minima.zoo.examples.evaluation import Level as Sums
from minima.zoo.examples.inputs import Inputs, Several, leaves
from minima.zoo.subject.handed import copied
from pruning.robustness.attack import Seen, Target, level_of
from pruning.robustness.level import Level, Refused
from pruning.robustness.points import Points, inputs_of, points_of
from pruning.running.uncounted import not_among

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject
    from pruning.robustness.scale import Scale
    from pruning.watermark.mark import Mark


@dataclass(frozen=True)
class Chunk:
    """Some of the examples, in file order."""

    rows: Sequence[int]
    """where they lie in the split"""
    x: Inputs
    y: Any

    @property
    def points(self) -> Points:
        """The inputs, tensor by tensor."""
        return points_of(self.x)


class Bench:
    """A subject whose network and examples stay as they are: weights are changed in a copy, inputs chunk by chunk."""

    def __init__(self, subject: Subject, scale: Scale, mark: Mark | None = None) -> None:
        self.subject, self.scale, self.mark = subject, scale, mark

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The weights that trials change: those of convolutions and linear layers, by parameter name.

        Raises:
            Refused: there are none.
        """
        found = {name: weight.detach() for name, weight in prunable(self.subject.model).items()}
        if not found:
            raise Refused("the network has no convolution or linear layer with a weight of its own")
        if others := not_among(found, self.subject.model):
            note(
                f"{self.subject.name}: trials of weights change those of convolutions and linear layers; these stay as "
                f"they are: {others}"
            )
        return found

    @cached_property
    def masks(self) -> dict[str, Tensor]:
        """What pruning has left of each of these weights (bool, True = kept)."""
        masks = self.subject.masks
        return {
            name: masks.get(name, torch.ones_like(weight, dtype=torch.bool)) for name, weight in self.weights.items()
        }

    def bit_error(self, weights: Mapping[str, Tensor]) -> float:
        """The share of the watermark's bits that are read wrong of these weights; NaN where there is no watermark."""
        return math.nan if self.mark is None else self.mark.wrong(weights)

    @cached_property
    def _copy(self) -> torch.nn.Module:
        return copied(self.subject.model)

    @cached_property
    def target(self) -> Target:
        """The way from inputs to the loss, which attacks climb."""
        subject = self.subject
        return Target(subject.model, subject.task, subject.task.loss.score(subject.y), subject.x[:1])

    def at_weights(self, weights: Mapping[str, Tensor]) -> Evaluation:
        """Loss and score over all examples with these weights in the place of the network's."""
        subject, model = self.subject, self._copy
        parameters = dict(model.named_parameters())
        before = {name: parameters[name].detach().clone() for name in weights}
        try:
            _fill(parameters, weights)
            return evaluate(model, subject.x, subject.y, subject.batch_size, task=subject.task)
        finally:
            _fill(parameters, before)

    def clean(self) -> Evaluation:
        """Loss and score of the network as it is."""
        subject = self.subject
        return evaluate(subject.model, subject.x, subject.y, subject.batch_size, task=subject.task)

    def start(self, clean: Evaluation) -> Level:
        """The network as it is, as the first level of every trial."""
        error = math.nan if self.mark is None else self.bit_error(self.weights)
        return Level(clean.loss, clean.score, bit_error=error)

    def chunks(self) -> Iterator[Chunk]:
        """All examples in file order, `batch_size` at once."""
        subject, rows = self.subject, self.subject.rows.tolist()
        for first in range(0, len(rows), subject.batch_size):
            some = slice(first, first + subject.batch_size)
            yield Chunk(rows[some], subject.x[some], subject.y[some])

    def at_inputs(self, change: Callable[[Chunk], Points]) -> Evaluation:
        """Loss and score over all examples, with inputs as `change` makes them of each chunk's.

        Raises:
            Refused: inputs are whole numbers.
        """
        self.check_floats()
        subject = self.subject
        level = Sums(subject.y, subject.task)
        with evaluating(subject.model), torch.no_grad():
            for chunk in self.chunks():
                made = inputs_of(change(chunk), chunk.x)
                level.add(subject.task.outputs(subject.model, made), chunk.y)
        return level.evaluation()

    def attacked(
        self, levels: Sequence[float], worst: Callable[[Chunk, float, Seen | None], Seen]
    ) -> list[tuple[float, float]]:
        """Loss and score under an attack at each of these radii, which ascend.

        `worst`: of a chunk and a radius, and what it was for the radius before (None at the first), what is seen.

        Raises:
            Refused: inputs are whole numbers, or the loss has no gradient by them.
        """
        self.check_floats()
        found: list[list[Seen]] = [[] for _ in levels]
        with evaluating(self.subject.model):
            for chunk in self.chunks():
                before = None
                for level, seen in zip(levels, found, strict=True):
                    before = worst(chunk, level, before)
                    seen.append(before)
        return [level_of(seen, self.target.score) for seen in found]

    def check_floats(self) -> None:
        """See that inputs can be perturbed by a little.

        Raises:
            Refused: they are whole numbers, such as tokens, all or some of them.
        """
        found = _names(self.subject.x)
        whole = [f"{name}{str(leaf.dtype).removeprefix('torch.')}" for name, leaf in found if not _is_float(leaf)]
        if whole:
            said = ", ".join(whole)
            raise Refused(f"inputs are whole numbers ({said}), such as tokens: there is nothing between them")


def _names(x: Inputs) -> list[tuple[str, Tensor]]:
    if isinstance(x, Several):
        return [(f"{name} ", leaf) for name, leaf in x.items()]
    return [("", leaf) for leaf in leaves(x)]


def _is_float(leaf: Tensor) -> bool:
    return leaf.is_floating_point()


def _fill(parameters: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            parameters[name].copy_(value)
