"""The trace of a symmetric operator, its range sketched first: Hutch++ (Meyer, Musco, Musco, Woodruff 2021)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscape.spectrum.trace import Estimate, estimate, hutchinson, in_blocks
from minima.store.command import BadInput


def hutchpp(product: Callable[[Tensor], Tensor], signs: Callable[[], Tensor], products: int) -> Estimate:
    """trace A = trace(Q^T A Q) + trace(P A P), Q (d, k) a basis of A S, S random signs, P = I - Q Q^T.

    k = products // 3. The first term is exact and takes 2k products; the others are Hutchinson's probes of the second,
    and their scatter is the standard error. It is nearly exact where the rank is below k. `product`: (n, d) -> (n, d);
    `signs`: a vector (d,) of -1 and 1. Memory: 4.5k vectors.

    Raises:
        BadInput: fewer than 3 products, or so many that k is above d.

    >>> diagonal = torch.tensor([3.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    >>> round(hutchpp(lambda v: v * diagonal, lambda: torch.ones(4, dtype=torch.float64), 6).value, 9)
    3.0
    """
    count = products // 3
    if not count:
        raise BadInput(f"Hutch++ from {products} products: it takes 3 at least")
    sketch = torch.stack([signs() for _ in range(count)])  # (k, d)
    dimension = sketch.shape[1]
    if count > dimension:
        raise BadInput(f"Hutch++ from {products} products: the operator acts on {dimension} coordinates only")
    basis = torch.linalg.qr(in_blocks(product, sketch).T).Q  # (d, k)
    inside = (basis.T * in_blocks(product, basis.T)).sum().item()

    def outside() -> Tensor:
        probe = signs()
        return probe - basis @ (basis.T @ probe)

    rest = hutchinson(product, outside, products - 2 * count)
    return estimate([inside + sample for sample in rest.samples])
