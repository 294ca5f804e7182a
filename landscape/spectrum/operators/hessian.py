"""The Hessian of the mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.spectrum.operator import Operator

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Product


@dataclass(frozen=True)
class Hessian(Operator):
    """H = 1/N sum_i d^2 l_i / dw^2, by double backward (Pearlmutter 1994)."""

    name: ClassVar[str] = "hessian"
    title: ClassVar[str] = "Hessian"
    semidefinite: ClassVar[bool] = False

    def product(self, objective: Objective, seed: int = 0) -> Product:  # noqa: ARG002 (nothing is drawn)
        """The product v -> H v with the Hessian."""
        return objective.hvp
