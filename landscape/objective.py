"""The mean loss of a network over a set of examples as a function of its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from landscape.coordinates import Coordinates, Subspace
from landscape.graphs import saved_bytes
from landscape.repeatable import check_repeatable
from store.command import BadInput
from zoo.batches import batches
from zoo.evaluation import Evaluation, evaluating

Loss = Callable[[Any, Tensor], Tensor]
Gradient = tuple[tuple[Tensor, ...], list[Tensor]]
"""a chunk's gradient with its graph, and the parameters it is a function of"""

GRAPH_BYTES = 2**30
"""memory that the graphs of the gradient may take between products"""
TRIAL = 32
"""examples that tell how much memory the graph of all would take"""


def per_example_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each example, (n, C) and (n,) -> (n,), in nats."""
    return cross_entropy(logits, labels, reduction="none")


class Objective:
    """L(w + delta) = 1/N sum_i loss(model(x_i; w + delta), y_i), with its gradient and Hessian-vector products.

    w: trainable parameters, removed weights being 0. The coordinates (d,) of a displacement delta, a gradient or a
    vector are the survivors of `masks` (name -> bool tensor, True = kept) or, with `subspace` = "full", all of them.
    Vectors are float64; the network runs in its own data type; sums over examples are float64, so that chunks
    (`batch_size` examples at once) change nothing beyond rounding. Eval mode; weights, buffers, gradients, modes and
    random state of `model` stay as they are. `loss(outputs, y)` gives each example's loss (n,), or their mean.

    >>> model = nn.Linear(1, 2, bias=False)
    >>> _ = nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
    >>> round(objective.loss(), 6)
    0.693147
    >>> objective.hvp(torch.tensor([1.0, 0.0]))
    tensor([ 0.2500, -0.2500], dtype=torch.float64)
    """

    def __init__(
        self,
        model: nn.Module,
        x: Tensor,
        y: Tensor,
        *,
        loss: Loss | None = None,
        masks: Mapping[str, Tensor] | None = None,
        subspace: Subspace = "survivors",
        batch_size: int | None = None,
    ) -> None:
        if not len(x):
            raise BadInput("there are no examples to measure the loss on")
        self.model, self.y, self.batch_size = model, y, batch_size
        self.coordinates = Coordinates(model, masks or {}, subspace)
        dtype = next(iter(self.coordinates.dtypes.values()))
        self.x = x.to(dtype) if x.is_floating_point() else x
        self._example_losses = loss or per_example_cross_entropy
        self._graphs: list[Gradient] | None = None
        self._buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        with evaluating(model), torch.no_grad():
            parameters = self._parameters(None)
            check_repeatable(lambda x, y: self._forward(parameters, x, y)[1], self.x[:16], self.y[:16])

    @property
    def dimension(self) -> int:
        """d, the number of coordinates."""
        return self.coordinates.dimension

    @property
    def point(self) -> Tensor:
        """(d,) the weights that are measured."""
        return self.coordinates.point

    def part(self, first: int, last: int) -> Objective:
        """The same over the examples first..last-1 only."""
        return Objective(
            self.model,
            self.x[first:last],
            self.y[first:last],
            loss=self._example_losses,
            masks=self.coordinates.tensors(self.coordinates.kept),
            subspace="full" if self.coordinates.index is None else "survivors",
            batch_size=self.batch_size,
        )

    def evaluate(self, displacement: Tensor | None = None) -> Evaluation:
        """Mean loss (inf where it overflows) and accuracy (NaN where y are no labels) at w + displacement."""
        total = torch.zeros((), dtype=torch.float64, device=self.x.device)
        correct = torch.zeros((), dtype=torch.float64, device=self.x.device)
        with evaluating(self.model), torch.no_grad():
            parameters = self._parameters(displacement)
            for x, y in self._chunks():
                outputs, losses = self._forward(parameters, x, y)
                total += losses.sum()
                correct += _correct(outputs, y)
        loss = total.item() / len(self.x)
        if not math.isfinite(loss):
            self._require_finite(displacement is not None)
            loss = math.inf
        return Evaluation(loss, correct.item() / len(self.x), len(self.x))

    def loss(self, displacement: Tensor | None = None) -> float:
        """L(w + displacement)."""
        return self.evaluate(displacement).loss

    def loss_and_gradient(self, displacement: Tensor | None = None) -> tuple[float, Tensor]:
        """L(w + displacement) and its gradient (d,), of one pass."""
        total, gradient = 0.0, torch.zeros_like(self.coordinates.full)
        with evaluating(self.model), torch.enable_grad():
            for summed, parameters in self._chunk_losses(displacement):
                parts = torch.autograd.grad(summed, parameters, materialize_grads=True)
                gradient += _flat(parts)
                total += summed.item()
        self._require_finite(bool(gradient.isfinite().all()))
        return total / len(self.x), self.coordinates.restrict(gradient / len(self.x))

    def gradient(self, displacement: Tensor | None = None) -> Tensor:
        """The gradient of L at w + displacement, (d,)."""
        return self.loss_and_gradient(displacement)[1]

    def hvp(self, vectors: Tensor, displacement: Tensor | None = None) -> Tensor:
        """H v for each of `vectors` (d,) or (k, d), H the Hessian of L at w + displacement (Pearlmutter 1994).

        Double backward; the graph of a chunk's gradient serves all vectors, and at w all later products too if the
        graphs of all chunks together fit in `GRAPH_BYTES`.
        """
        rows = vectors.double().reshape(-1, self.dimension)  # (d,) -> (1, d); (k, d) as it is
        products = torch.zeros(len(rows), len(self.coordinates.full), dtype=torch.float64, device=rows.device)
        directions = [self._native(self.coordinates.extend(row)) for row in rows]
        with evaluating(self.model), torch.enable_grad():
            for gradient, parameters in self._gradients(displacement):
                for row, direction in enumerate(directions):
                    products[row] += _second_backward(gradient, parameters, direction)
        self._require_finite(bool(products.isfinite().all()))
        return self.coordinates.restrict(products / len(self.x)).reshape(vectors.shape)

    def normal(self, generator: torch.Generator) -> Tensor:
        """Standard normal coordinates (d,), drawn for all parameters, so that a mask only leaves some out."""
        drawn = torch.randn(len(self.coordinates.full), generator=generator, dtype=torch.float64)
        return self.coordinates.restrict(drawn.to(self.x.device))

    def signs(self, generator: torch.Generator) -> Tensor:
        """Coordinates -1 or 1 (d,), drawn likewise."""
        drawn = torch.randint(0, 2, (len(self.coordinates.full),), generator=generator)
        return self.coordinates.restrict(2.0 * drawn.double().to(self.x.device) - 1)

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(self.x, self.y, self.batch_size)

    def _native(self, dense: Tensor) -> list[Tensor]:
        return list(self.coordinates.tensors(dense, native=True).values())

    def _parameters(self, displacement: Tensor | None) -> dict[str, Tensor]:
        """Leaves of a graph of their own, so that nothing reaches the model's .grad."""
        dense = self.coordinates.full
        if displacement is not None:
            dense = dense + self.coordinates.extend(displacement.double())
        return {
            name: tensor.detach().clone().requires_grad_()
            for name, tensor in self.coordinates.tensors(dense, native=True).items()
        }

    def _chunk_losses(self, displacement: Tensor | None) -> Iterator[tuple[Tensor, list[Tensor]]]:
        """Each chunk's summed loss, and the parameters it is a function of."""
        parameters = self._parameters(displacement)
        for x, y in self._chunks():
            yield self._forward(parameters, x, y)[1].sum(), list(parameters.values())

    def _gradients(self, displacement: Tensor | None) -> Iterator[Gradient]:
        """Each chunk's gradient with its graph; at w they are built once if they can be kept."""
        if displacement is not None or not self._graphs_fit:
            return self._new_gradients(displacement)
        if self._graphs is None:
            self._graphs = list(self._new_gradients(None))
        return iter(self._graphs)

    def _new_gradients(self, displacement: Tensor | None) -> Iterator[Gradient]:
        for summed, parameters in self._chunk_losses(displacement):
            yield torch.autograd.grad(summed, parameters, create_graph=True, materialize_grads=True), parameters

    @cached_property
    def _graphs_fit(self) -> bool:
        trial = slice(min(TRIAL, len(self.x)))

        def build() -> tuple[Tensor, ...]:
            parameters = self._parameters(None)
            summed = self._forward(parameters, self.x[trial], self.y[trial])[1].sum()
            return torch.autograd.grad(summed, list(parameters.values()), create_graph=True, materialize_grads=True)

        return saved_bytes(build) * len(self.x) // min(TRIAL, len(self.x)) <= GRAPH_BYTES

    def _forward(self, parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> tuple[Any, Tensor]:
        """Outputs, and each example's loss (n,) in float64."""
        outputs = functional_call(self.model, parameters | self._buffers, (x,))
        losses = self._example_losses(outputs, y)
        if losses.shape not in ((), (len(x),)):
            raise BadInput(
                f"the loss of {len(x)} examples has the shape {tuple(losses.shape)}: "
                f"expected one number for each, ({len(x)},), or their mean, ()"
            )
        return outputs, losses.double().expand(len(x))

    @staticmethod
    def _require_finite(finite: bool) -> None:
        if not finite:
            raise BadInput(
                "the loss or a derivative of it is not finite (NaN or infinity) there, so nothing can be measured.\n"
                "Look at the weights and the inputs for overflow; --mean and --std must be those of the training"
            )


def _correct(outputs: Any, y: Tensor) -> Tensor | float:
    """How many rows of logits (n, C) have their largest at the label; NaN where that has no meaning."""
    if torch.is_tensor(outputs) and outputs.ndim == 2 and y.ndim == 1 and not y.is_floating_point():
        return (outputs.argmax(1) == y).sum()
    return math.nan


def _flat(tensors: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([tensor.double().flatten() for tensor in tensors])


def _second_backward(gradient: tuple[Tensor, ...], parameters: list[Tensor], direction: list[Tensor]) -> Tensor:
    """d(gradient . direction) / d parameters, flat; zero where the gradient is constant."""
    along = torch.stack([(g * v).sum().double() for g, v in zip(gradient, direction, strict=True)]).sum()
    if not along.requires_grad:
        return torch.zeros(sum(p.numel() for p in parameters), dtype=torch.float64, device=along.device)
    return _flat(torch.autograd.grad(along, parameters, retain_graph=True, materialize_grads=True))
