"""The mean loss of a network over a set of examples as a function of its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from landscape.objective.coordinates import Coordinates, Subspace, Which
from landscape.objective.derivatives.check import DerivativeCheck
from landscape.objective.derivatives.problem import Problem
from landscape.objective.derivatives.tangents import tangents
from landscape.objective.examples import as_loss, examples_of, settled
from landscape.objective.finite import not_finite
from landscape.objective.graphs import Chunk, Graph, Keeper, add, is_finite, slopes
from landscape.objective.pearlmutter import gradient_graph, second_backward
from landscape.objective.room import Room
from landscape.objective.weighing import Weighing, weigh
from landscape.passes.attention import plain_attention
from landscape.passes.forward import Forward
from landscape.passes.network import Network
from minima.zoo.examples.batches import default_batch_size
from minima.zoo.examples.evaluation import Evaluation, evaluating
from minima.zoo.examples.inputs import floats_to, part_of
from minima.zoo.examples.spending import spend
from minima.zoo.examples.task import Task
from minima.zoo.losses.loss import Loss
from minima.zoo.losses.score import Score
from minima.zoo.ranks import ALONE, Ranks

MEMORY = 4 * 2**30
"""bytes that the graphs of the gradient may take between products"""


class Objective:
    """L(w + delta) = 1/N sum_i loss(model(x_i; w + delta), y_i), with its gradient and Hessian-vector products.

    w: the trainable parameters, removed weights being 0. Displacements, gradients and vectors hold those d of them that
    may move, in float64. The network runs in eval mode and in its own data type; weights, buffers, gradients, modes and
    the random state stay as they are. Sums over examples are float64.

    Args:
        model: any module.
        x, y: (N, ...) inputs, a tensor, or several in a tuple or dict for `model(*x)` or `model(**x)`; and targets.
        loss: of minima.zoo.losses (None: cross-entropy), or a function of outputs and y that returns each example's
            loss (n,), a pair of sums and weights (then L = sum_i s_i / sum_i w_i), or a mean.
        output: which of several outputs.
        masks: bool by parameter name, True = kept.
        subspace: which weights may move: the "survivors" of the masks, or the removed ones too ("full").
        parameters: only these of them (names of parameters or of modules), so that the Hessian is their block.
        moving: only these single ones (bool like `masks`), so that the Hessian is a principal submatrix.
        batch_size: examples at once; it changes nothing beyond rounding, nor does it that `ranks` share the examples.
        memory: bytes that graphs may take from one product to the next.

    Raises:
        BadInput: model, inputs, targets and loss do not fit together; the message says what to do.

    >>> model = nn.Linear(1, 2, bias=False)
    >>> _ = nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
    >>> round(objective.loss(), 6)
    0.693147
    >>> objective.hvp(torch.tensor([1.0, 0.0]))
    tensor([ 0.2500, -0.2500], dtype=torch.float64)
    """

    def __init__(  # noqa: PLR0913 (named, and all but three optional)
        self,
        model: nn.Module,
        x: Any,
        y: Any,
        *,
        loss: Loss | Callable[[Any, Any], Any] | None = None,
        output: str | None = None,
        masks: Mapping[str, Tensor] | None = None,
        subspace: Subspace = "survivors",
        parameters: Sequence[str] | None = None,
        moving: Mapping[str, Tensor] | None = None,
        batch_size: int | None = None,
        memory: int = MEMORY,
        ranks: Ranks = ALONE,
    ) -> None:
        self.task = Task(as_loss(loss), output)
        x, y = examples_of(x, y, self.task.loss)
        self.model, self.y, self.batch_size = model, y, batch_size or default_batch_size(x)
        self.ranks = ranks
        self._which = Which(masks=masks or {}, subspace=subspace, parameters=parameters, moving=moving)
        self.coordinates = Coordinates(model, **self._which)
        self.x = floats_to(x, next(each.dtype for each in model.parameters() if each.requires_grad))
        self.keeper = Keeper(memory)
        constants = self.coordinates.fixed | {name: buffer.clone() for name, buffer in model.named_buffers()}
        with evaluating(model), torch.no_grad():
            weights = self._parameters(None)
            self._network = Network(model, constants)
            self.task, outputs = settled(self.task, model, partial(self._network, weights), self.x, y)
            self._network.fold(weights, self.x[:16])
        self.forward = Forward(self._network)
        self._derivative_check, self.room = DerivativeCheck(), Room()
        own = weigh(self.task, outputs, y, self.passes())
        self.weighing = Weighing.of(len(x), ranks.sum(own) if own is not None and self.task.needs_pass else own)

    @property
    def dimension(self) -> int:
        """The number d of coordinates: of the weights that may move."""
        return self.coordinates.dimension

    @property
    def point(self) -> Tensor:
        """(d,) the weights that are measured."""
        return self.coordinates.point

    @cached_property
    def score(self) -> Score:
        """What is reported beside the loss, such as accuracy: the loss says which."""
        return self.task.loss.score(self.y)

    def part(self, first: int, last: int) -> Objective:
        """The same objective over the examples first to last - 1 only."""
        return self.of(slice(first, last))

    def of(self, examples: slice | Tensor) -> Objective:
        """The same objective over some of the examples only: a range of them, or their indices."""
        part = copy(self)
        part.x, part.y = part_of(self.x, examples), part_of(self.y, examples)
        part.weighing = self.weighing.some(examples, len(part.x))
        part.__dict__.pop("score", None)
        part.keeper = self.keeper.another()
        return part

    def sample(self, examples: slice | Tensor) -> Objective:
        """An estimate of L from n of the N examples: N / n times their share of it, whatever weights they have."""
        part = self.of(examples)
        part.weighing = self.weighing.sample(examples, len(part.x))
        return part

    def holding(self, constants: Mapping[str, Tensor]) -> Objective:
        """The same objective with other values of some buffers, or of parameters that are no coordinates."""
        other = copy(self)
        other._network = self._network.holding(constants)
        other.forward = self.forward.of(other._network)
        other.keeper = self.keeper.another()
        return other

    def block(self, parameters: Sequence[str]) -> Objective:
        """The same loss as a function of these parameters only (names of parameters or of modules)."""
        which: Which = {**self._which, "parameters": parameters}
        again = partial(Objective, self.model, self.x, self.y, batch_size=self.batch_size, ranks=self.ranks)
        made = again(loss=self.task.loss, output=self.task.output, memory=self.keeper.memory, **which)
        made._derivative_check = self._derivative_check
        return made

    def evaluate(
        self, displacement: Tensor | None = None, observe: Callable[[Chunk], object] | None = None
    ) -> Evaluation:
        """Loss (inf where it overflows) and score at w + displacement; `observe` is shown this rank's chunks."""
        sums = torch.zeros(1 + self.score.width, dtype=torch.float64, device=self.x.device)
        for chunk in self.passes(displacement):
            sums[0] += chunk.losses.sum()
            sums[1:] += self.score.sums(chunk.outputs, self.y[chunk.examples]).to(sums).sum(0)
            if observe is not None:
                observe(chunk)
        self.ranks.sum(sums)
        loss = self.weighing.mean(sums[0]).item()
        if not math.isfinite(loss):
            self._require_finite(displacement is not None)
            loss = math.inf
        return Evaluation(loss, self.score.value(sums[1:]), len(self.x), self.score.name)

    def loss(self, displacement: Tensor | None = None) -> float:
        """The objective L at w + displacement, over all examples, in the unit of the loss."""
        return self.evaluate(displacement).loss

    def example_losses(self, displacement: Tensor | None = None) -> Tensor:
        """(N,) in float64, L being the mean: each example's loss by its weight at w + displacement; inf on overflow."""
        losses = torch.zeros(len(self.x), dtype=torch.float64, device=self.x.device)
        for chunk in self.passes(displacement):
            losses[chunk.examples] = chunk.losses
        return self.weighing.each(self.ranks.sum(losses).nan_to_num(nan=math.inf, posinf=math.inf))

    def loss_and_gradient(self, displacement: Tensor | None = None) -> tuple[float, Tensor]:
        """L(w + displacement) and its gradient (d,), of one pass."""
        self.room.before_the_first(self)
        self._derivative_check.before_the_first(self._problem)
        size = len(self.coordinates.full)
        sums = torch.zeros(size + 1, dtype=torch.float64, device=self.x.device)  # the gradient, and the loss behind it
        with evaluating(self.model), torch.enable_grad():
            for chunk in self.chunks(displacement):
                summed = chunk.losses.sum()
                add(sums[:size], slopes(summed, chunk.parameters))
                sums[size] += summed.detach()
        mean = self.weighing.mean(self.ranks.sum(sums))
        self._require_finite(is_finite(mean[:size]))
        return mean[size].item(), self.coordinates.restrict(mean[:size])

    def gradient(self, displacement: Tensor | None = None) -> Tensor:
        """The gradient of L at w + displacement, (d,)."""
        return self.loss_and_gradient(displacement)[1]

    def hvp(self, vectors: Tensor, displacement: Tensor | None = None) -> Tensor:
        """H v for `vectors` (d,) or (k, d), H the Hessian at w + displacement, double backward (Pearlmutter 1994)."""
        with evaluating(self.model), plain_attention(), torch.enable_grad():
            return self.products(vectors, self.graphs(gradient_graph, displacement), second_backward)

    def products(
        self, vectors: Tensor, graphs: Iterator[Graph], apply: Callable[[Graph, list[Tensor]], Sequence[Tensor]]
    ) -> Tensor:
        """A matrix times `vectors` (d,) or (k, d), being a mean over examples; `apply`: a chunk's graph and a direction
        in the parameters' shapes -> its product in these, summed.
        """
        rows = vectors.reshape(-1, self.dimension)
        products = torch.zeros(len(rows), len(self.coordinates.full), dtype=torch.float64, device=rows.device)
        dense = [self.coordinates.extend(row) for row in rows]
        directions = [list(self.coordinates.tensors(each, native=True).values()) for each in dense]
        for graph in graphs:
            for row, direction in enumerate(directions):
                add(products[row], apply(graph, direction))
        spend(len(directions) * self.ranks.own(len(self.x)))
        self.ranks.sum(products)
        self._require_finite(is_finite(products))
        return self.coordinates.restrict(self.weighing.mean(products)).reshape(vectors.shape)

    def graphs(self, build: Callable[[Chunk], Graph], displacement: Tensor | None = None) -> Iterator[Graph]:
        """What `build` makes of each chunk; at w, as many as `memory` holds are kept for the next call with it."""
        self.room.before_the_first(self, keeping=displacement is None)
        self._derivative_check.before_the_first(self._problem)
        if displacement is not None:
            return (build(chunk) for chunk in self.chunks(displacement))
        return self.keeper.graphs(build, lambda *some: self.chunks(None, *some), len(self.x), self.room.at_once(self))

    def release(self) -> None:
        """Free the kept graphs; the next product makes them again."""
        self.keeper.release()

    def chunks(self, displacement: Tensor | None = None, start: int = 0, stop: int | None = None) -> Iterator[Chunk]:
        """The `start`-th to `stop`-th of this rank's examples at w + displacement, in chunks with a graph each."""
        weights = self._parameters(displacement)
        for examples in self.ranks.chunks(len(self.x), self.room.at_once(self), start, stop):
            outputs = self.task.picked(self._network(weights, self.x[examples]))
            spend(examples.stop - examples.start)
            yield Chunk(examples, list(weights.values()), outputs, self.losses(outputs, self.y[examples]))

    def passes(self, displacement: Tensor | None = None) -> Iterator[Chunk]:
        """This rank's share of the examples in file order, at w + displacement, without graphs (see `forward`)."""
        plan = self.forward.plan
        with evaluating(self.model), torch.no_grad(), self.forward.threads():
            network = self.forward.at(self.weights(displacement), plan)
            for examples in self.ranks.chunks(len(self.x), plan.chunk if plan else self.batch_size):
                outputs = self.task.picked(network(self.x[examples]))
                yield Chunk(examples, [], outputs, self.losses(outputs, self.y[examples]))

    def trace(self) -> None:
        """Compute passes without derivatives by a traced graph from now on, where that can hold the network.

        For work of many such passes, of this objective and of those that are made of it (see `Forward.trace`).
        """
        with evaluating(self.model), torch.no_grad():
            self.forward.trace(self.weights(None), self.x, self.batch_size)

    def losses(self, outputs: Any, y: Any) -> Tensor:
        """s_i (n,) in float64, of the network's outputs for some examples: each one's loss, times its weight."""
        return self.task.terms(outputs, y).sums

    def tangents(self, examples: slice, direction: list[Tensor]) -> Any:
        """How the outputs for some examples change along a direction in the parameters' shapes."""
        return tangents(self._network, self._parameters(None), self.x[examples], direction, self.task.picked)

    def normal(self, generator: torch.Generator) -> Tensor:
        """Independent standard normal numbers, one for each coordinate (d,)."""
        return self.coordinates.normal(generator)

    def signs(self, generator: torch.Generator) -> Tensor:
        """Coordinates -1 or 1 (d,), as likely either way."""
        return self.coordinates.signs(generator)

    def _problem(self) -> Problem:
        """What derivatives are checked of."""
        return Problem(self._network, self.task.summed, self.coordinates, self.x, self.y, self.room.few(self))

    def _parameters(self, displacement: Tensor | None) -> dict[str, Tensor]:
        """Leaves of a graph of their own, so that nothing reaches the model's .grad."""
        weights, own = self.weights(displacement), self.coordinates.full.dtype  # what has another one is a copy already
        return {name: (each.clone() if each.dtype == own else each).requires_grad_() for name, each in weights.items()}

    def weights(self, displacement: Tensor | None) -> dict[str, Tensor]:
        """The parameters that count at w + displacement, in their shapes and data types."""
        dense = self.coordinates.full
        if displacement is not None:
            dense = dense + self.coordinates.extend(displacement.double())
        return self.coordinates.tensors(dense, native=True)

    def _require_finite(self, finite: bool) -> None:
        if not finite:
            coordinates, buffers = self.coordinates, dict(self.model.named_buffers())
            tensors = coordinates.tensors(coordinates.full) | coordinates.fixed | buffers
            raise not_finite(tensors, self.x, self.passes())
