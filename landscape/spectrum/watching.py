"""What a person sees while products are computed: how many, and how long yet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor

from minima.store.messages import progress_bar


@contextmanager
def counted(product: Callable[[Tensor], Tensor], total: int) -> Iterator[Callable[[Tensor], Tensor]]:
    """A product of (d,) or (k, d) with a progress bar of the `total` vectors that are to come."""
    with progress_bar(total=total, unit="product") as shown:

        def apply(vectors: Tensor) -> Tensor:
            products = product(vectors)
            shown.update(1 if vectors.ndim == 1 else len(vectors))
            return products

        yield apply


WITNESS = 8
"""products that it usually takes to tell that no eigenvalue was missed"""


@dataclass
class Outlook:
    """How long a search for eigenvalues will go on, if its errors fall as they did and products take what they took."""

    tolerance: float
    start: float = field(default_factory=time.perf_counter)
    first: tuple[int, float] | None = None
    """products and error when there first was one"""

    def after(self, products: int, error: float) -> str:
        """How long the search goes on after so many products, in words; nothing where the errors tell nothing.

        >>> outlook = Outlook(1e-3, start=time.perf_counter() - 60)
        >>> outlook.after(4, 1.0), outlook.after(6, 0.1)  # six products more, 10 s each, and the witness
        ('', ', about 2 min left')
        """
        if not 0 < error < math.inf:
            return ""
        if self.first is None:
            self.first = products, error
        rate = math.log(self.first[1] / error) / max(1, products - self.first[0])
        if rate <= 0:
            return ""
        more = max(0.0, math.log(error / self.tolerance) / rate) + WITNESS
        seconds = more * (time.perf_counter() - self.start) / products
        return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"
