"""The trace of a symmetric operator, every probe used twice: XTrace (Epperly, Tropp, Webber 2024)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from landscape.spectrum.trace import Estimate, estimate, in_blocks
from minima.store.command import BadInput

RANK = 1e-12  # singular values this small beside the largest are rounding


def xtrace(product: Callable[[Tensor], Tensor], normal: Callable[[], Tensor], products: int) -> Estimate:
    """The mean over i of trace(Q_i^T A Q_i) + (d - k + 1) u_i.A u_i, an unbiased estimate of trace A each.

    Q_i (d, k - 1): basis of A applied to all k = products // 2 normal probes but the i-th; u_i: the unit vector of the
    i-th probe's part outside Q_i. Standard error as in the paper: scatter of the k estimates / sqrt(k), which share
    probes, so that it is approximate. Exact where the rank is below k. `product`: (n, d) -> (n, d); `normal`: a
    standard normal vector (d,). Memory: 7k vectors.

    Raises:
        BadInput: fewer than 2 products, or more than 2d.

    >>> diagonal = torch.tensor([3.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    >>> generator = torch.Generator().manual_seed(0)
    >>> draw = lambda: torch.randn(4, generator=generator, dtype=torch.float64)
    >>> round(xtrace(lambda v: v * diagonal, draw, 6).value, 9)
    4.0
    """
    count = products // 2
    if not count:
        raise BadInput(f"XTrace from {products} products: it takes 2 at least")
    probes = torch.stack([normal() for _ in range(count)], 1)  # (d, k)
    dimension = len(probes)
    if count > dimension:
        raise BadInput(f"XTrace from {products} products: the operator acts on {dimension} coordinates only")
    images = in_blocks(product, probes.T).T
    basis, triangle = torch.linalg.qr(images)
    left, singular, _ = torch.linalg.svd(triangle)
    rank = int((singular > RANK * singular[0]).sum())
    if rank < count:  # the images of any k - 1 probes span the range
        basis = basis @ left[:, :rank]
        return estimate([(basis.T * in_blocks(product, basis.T)).sum().item() if rank else 0.0] * count)
    mapped = in_blocks(product, basis.T).T
    missing = torch.linalg.inv(triangle).T
    missing = missing / missing.norm(dim=0)  # column i: the direction in Q that only probe i brought
    inner = basis.T @ mapped
    inside = inner.trace() - (missing * (inner @ missing)).sum(0)
    coefficients = basis.T @ probes
    coefficients = coefficients - missing * (missing * coefficients).sum(0)
    outside = probes - basis @ coefficients
    curvature = (outside * (images - mapped @ coefficients)).sum(0) / outside.square().sum(0)
    return estimate((inside + (dimension - count + 1) * curvature).tolist())
