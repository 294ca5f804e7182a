"""What a curvature operator is: a frozen dataclass of parameters that turns an objective into products with vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective

    Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Operator:
    """Base of the members of landscape/spectrum/operators: a symmetric (d, d) matrix, known by its products."""

    name: ClassVar[str]
    title: ClassVar[str]
    """its name in a table"""
    semidefinite: ClassVar[bool] = True
    """whether no eigenvalue is negative, whatever the loss"""

    drawn: ClassVar[bool] = False
    """whether it is a draw of many that the same examples might give"""
    beside: ClassVar[int] = 0
    """vectors in float64 that are held or made beside a product of the objective's"""

    def product(self, objective: Objective, seed: int = 0) -> Product:
        """v -> A v, for one vector (d,) or several (k, d), float64; A is fixed here, draws being from `seed`."""
        raise NotImplementedError

    def parts(self, objective: Objective, blocks: Iterable[Tensor], seed: int = 0) -> Iterator[Product]:
        """The matrix over each of the `blocks` of the examples, by their indices: their mean by weight is the whole."""
        return (self.product(objective.of(rows), seed) for rows in blocks)

    def check(self) -> None:
        """Refuse parameters that mean nothing: all are counts."""
        for parameter in fields(self):
            if getattr(self, parameter.name) < 1:
                raise BadInput(f"{self.name}: {parameter.name} must be at least 1, not {getattr(self, parameter.name)}")


def require_even(objective: Objective, title: str) -> None:
    """Refuse what is no mean over examples: an outer product of gradients has no place for weights beside it."""
    if objective.weighing.weights is not None:
        raise BadInput(
            f"{title}: a mean of g g^T over examples, and the loss {objective.task.loss.name} weighs them (by classes, "
            "or by the positions that count).\nType --operator hessian or ggn, which are defined for it"
        )


def operators() -> dict[str, type[Operator]]:
    """Every curvature operator by the name that --operator knows it by."""
    return members("landscape.spectrum.operators", Operator)
