"""What a person sees while products are computed: how many, and how long yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor

from minima.store.messages import progress_bar


@contextmanager
def counted(product: Callable[[Tensor], Tensor], total: int) -> Iterator[Callable[[Tensor], Tensor]]:
    """The same product of (d,) or (k, d), with a progress bar of the `total` vectors that are to come."""
    with progress_bar(total=total, unit="product") as shown:

        def apply(vectors: Tensor) -> Tensor:
            products = product(vectors)
            shown.update(1 if vectors.ndim == 1 else len(vectors))
            return products

        yield apply
