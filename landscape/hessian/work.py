"""What the parts of a spectrum share: one network's operator, what is asked of it, and a place for what is found."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landscape.hessian.block_forms import BlockForms
from landscape.spectrum.data_error import data_blocks, data_error, jackknife
from landscape.spectrum.journal import journal
from landscape.spectrum.lanczos import most_products

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.hessian.flags import Curvature
    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Operator, Product
    from minima.store.hdf5.results import Place

DATA_ERRORS = {
    "data_stderr_new": "error that new examples would make, as many: jackknife over blocks of them, to first order",
    "data_stderr": "error from using some of the split's examples only: the same times sqrt(1 - n/N)",
}


@dataclass(frozen=True)
class Work:
    """One network whose curvature is to be measured, and what is wanted of it."""

    place: Place
    objective: Objective
    operator: Operator
    wanted: Curvature
    seed: int
    share: float | None
    """what of the error of new examples the split has; None where the examples used say nothing of the others"""
    known: tuple[Tensor, Tensor] | None = None
    """a vector and its product: the gradient and H times it"""
    forms: BlockForms | None = None
    """products for eigenvalues, taken block by block of the examples"""

    def release(self) -> None:
        """Free the graphs and vectors that were kept for the eigenvalues."""
        if self.forms is not None:
            self.forms.release()

    @property
    def used_share(self) -> float | None:
        """sqrt(1 - n/N), what of the error of new examples the split has; 1 where labels are drawn for them as well."""
        return 1.0 if self.operator.drawn else self.share

    def product(self, part: str) -> AbstractContextManager[Product]:
        """The operator's products for a part of the measurement; those that a killed run computed are not repeated.

        Where memory is short, they are: to read one takes as much as two vectors.
        """
        own = self.forms is not None and part == "eigenvalues"
        product = self.forms.product if own and self.forms else self.operator.product(self.objective, self.seed)
        if self.objective.keeper.rows is not None:
            return nullcontext(product)
        return journal(self.place, part, product, self.objective.keeper.memory, self.objective.ranks)

    def data_errors(self, vectors: Tensor, *, average: bool = False) -> dict[str, list[float] | None]:
        """Standard errors over the examples of the quotients v.Av of `vectors`, or of their mean, by the keys of
        `DATA_ERRORS`.

        None of a single example or if they were not asked for, and from using some of the examples where all are used.
        """
        if len(self.objective.x) < 2 or self.wanted.data_error == "none":
            return dict.fromkeys(DATA_ERRORS)
        new = self._error(vectors, average=average)
        of_split = (new * self.used_share).tolist() if self.used_share else None
        return {"data_stderr_new": new.tolist(), "data_stderr": of_split}

    def _error(self, vectors: Tensor, *, average: bool) -> Tensor:
        """That of new examples; by the products that there are, if they tell."""
        known = None if self.forms is None or average else self.forms.quotients(vectors)
        if self.forms is not None and known is not None:
            return jackknife(known, self.forms.weights)
        products, weights = data_blocks(self.operator, self.objective, self.seed)
        singly = self.objective.keeper.rows is not None
        return data_error(products, weights, vectors, average=average, singly=singly)


def forms_of(operator: Operator, objective: Objective, wanted: Curvature, seed: int) -> BlockForms | None:
    """How products are taken for eigenvalues of the Hessian that are to have errors, where that pays."""
    if operator.name != "hessian" or wanted.data_error == "none" or objective.keeper.rows is not None:
        return None
    return BlockForms.of(operator, objective, seed, most_products(wanted.top + wanted.bottom))
