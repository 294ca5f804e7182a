"""The Fisher matrix with labels that the network draws itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.spectrum.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Product


@dataclass(frozen=True)
class McFisher(Operator):
    """F = 1/(N S) sum_is g_is g_is^T, g_is the gradient of example i's loss at label s, drawn from its softmax.

    The labels are drawn once, so that F is one matrix. Its mean over draws, and its limit for many, is the Fisher
    matrix, which for cross-entropy is the generalised Gauss-Newton matrix; errors fall with sqrt(S). More draws cost
    only derivatives of the loss with respect to the outputs. Needs logits (N, C) and labels (N,).

    >>> import torch
    >>> from landscape.objective.objective import Objective
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
    >>> McFisher(draws=3).product(objective)(torch.tensor([1.0, 0.0]))  # (1, -1) / 2 or its negative, whatever is drawn
    tensor([ 0.2500, -0.2500], dtype=torch.float64)
    """

    name: ClassVar[str] = "mc-fisher"
    title: ClassVar[str] = "Monte Carlo Fisher"

    drawn: ClassVar[bool] = True

    draws: int = 1
    """S, labels drawn for each example"""

    def product(self, objective: Objective, seed: int = 0) -> Product:
        """The product v -> F v with the Fisher matrix of labels drawn from the model."""
        self.check()
        return _product(objective, draw_labels(objective, self.draws, seed))

    def parts(self, objective: Objective, blocks: Iterable[Tensor], seed: int = 0) -> Iterator[Product]:
        """The Fisher matrix of each block, with those labels that the whole one has drawn for its examples."""
        labels = draw_labels(objective, self.draws, seed)
        return (_product(objective.of(rows), labels[:, rows]) for rows in blocks)


def _product(objective: Objective, labels: Tensor) -> Product:
    """v -> F v with these labels (S, N)."""
    import torch

    from landscape.spectrum.sandwich import loss_slopes, outer, sandwich

    def middle(outputs: Tensor, examples: slice) -> Product:
        each = [loss_slopes(objective, outputs, drawn) for drawn in labels[:, examples]]
        return lambda tangents: torch.stack([outer(slopes, tangents) for slopes in each]).mean(0)

    return lambda vectors: sandwich(objective, vectors, middle)


def draw_labels(objective: Objective, draws: int, seed: int) -> Tensor:
    """(S, N) labels of the network's own distribution p(c) ~ exp(-loss at c); those of an example depend on no other.

    With cross-entropy that is the softmax of the logits, as the loss scales them.
    """
    import torch

    from landscape.objective.streams import stream
    from minima.store.command import BadInput

    size, y = len(objective.x), objective.y
    uniform = torch.rand(size, draws, generator=stream(seed, "mc-fisher"), dtype=torch.float64)
    labels = torch.zeros(draws, size, dtype=torch.long, device=y.device)
    for chunk in objective.passes():
        at, logits = chunk.examples, chunk.outputs
        countable = torch.is_tensor(logits) and logits.ndim == 2 and y.ndim == 1 and not y.is_floating_point()
        if not (countable and objective.weighing.weights is None):
            raise BadInput("mc-fisher draws labels from the softmax: it needs logits (N, C) and labels (N,) that count")
        each = [objective.losses(logits, torch.full_like(objective.y[at], c)) for c in range(logits.shape[1])]
        bounds = torch.stack(each, 1).neg().softmax(1).cumsum(1)  # (n, C)
        drawn = torch.searchsorted(bounds, uniform[at].to(bounds), right=True)
        labels[:, at] = drawn.clamp_max(logits.shape[1] - 1).T  # bounds end at 1 but for rounding
    return labels
