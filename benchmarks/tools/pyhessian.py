"""PyHessian: its power iteration, over a loader or over one batch whose graph it keeps."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from pyhessian import hessian
from torch import Tensor, nn

from benchmarks.tool import TOP, Method, Product, Tool
from minima.zoo.subject.subject import Subject

NAME = "PyHessian"
ONE_BATCH = "PyHessian, one batch"
"""all images at once"""
ENDLESS = float("-inf")
"""a tolerance that ends no estimate of the trace early"""


def build(subject: Subject) -> Tool:
    """Over a list of chunks."""
    data = list(zip(subject.x.split(subject.batch_size), subject.y.split(subject.batch_size), strict=True))
    found = _quietly(hessian, copy.deepcopy(subject.model), nn.CrossEntropyLoss(), dataloader=data, cuda=False)

    def product(vector: Tensor) -> Tensor:
        return _flat(_quietly(found.dataloader_hv_product, _shaped(vector, found.params))[1])

    return Tool(product, lambda probes: float(np.mean(_quietly(found.trace, maxIter=probes, tol=ENDLESS))))


def build_one_batch(subject: Subject) -> Tool:
    """The whole data as one batch: the graph of its gradient stays, and serves every product."""
    from pyhessian.utils import hessian_vector_product

    whole = (subject.x, subject.y)
    found = _quietly(hessian, copy.deepcopy(subject.model), nn.CrossEntropyLoss(), data=whole, cuda=False)

    def product(vector: Tensor) -> Tensor:
        return _flat(hessian_vector_product(found.gradsH, found.params, _shaped(vector, found.params)))

    return Tool(product, lambda probes: float(np.mean(found.trace(maxIter=probes, tol=ENDLESS))))


def power(product: Product, dimension: int, seed: int, *, tol: float, most: int) -> Sequence[float]:
    """Its own loop over whatever product; the one-row layer only says of how many weights."""
    solver = hessian(nn.Linear(dimension, 1, bias=False), None, dataloader=[], cuda=False)

    def answer(vectors: list[Tensor]) -> tuple[float, list[Tensor]]:
        row = vectors[0].clone()  # (1, d)
        image = product(row[0]).to(row.dtype)[None]
        return (image * row).sum().item(), [image]

    solver.dataloader_hv_product = answer
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        values, _ = solver.eigenvalues(maxIter=most, tol=tol, top_n=TOP)
    return values


def _shaped(vector: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    parts = vector.to(parameters[0].dtype).split([parameter.numel() for parameter in parameters])
    return [part.view_as(parameter) for part, parameter in zip(parts, parameters, strict=True)]


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def _quietly(work, *arguments, **options):  # type: ignore[no-untyped-def]
    """Without torch's warning, at every product, that backward with create_graph leaks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using backward.. with create_graph")
        return work(*arguments, **options)


METHOD = Method(
    "its power iteration",
    (NAME, ONE_BATCH),
    {"defaults (tol=1e-3)": partial(power, tol=1e-3, most=100)}
    | {f"tol=1e-{digits}": partial(power, tol=10.0**-digits, most=2000) for digits in range(4, 8)},
    "defaults (tol=1e-3)",
)
