"""hessian-eigenthings: its Lanczos and its power iteration with deflation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from hessian_eigenthings import (
    HessianOperator,
    LambdaOperator,
    deflated_power_iteration,
    hutchinson,
    lanczos,
    supervised_loss,
)
from torch import nn

from benchmarks.tool import TOP, Method, Product, Tool
from minima.zoo.subject.subject import Subject

NAME = "hessian-eigenthings"
MOST = 60
"""steps of Lanczos that are tried"""


def build(subject: Subject) -> Tool:
    """On a network in eval mode and chunks of one size: it takes care of neither."""
    data = list(zip(subject.x.split(subject.batch_size), subject.y.split(subject.batch_size), strict=True))
    operator = HessianOperator(subject.model, data, supervised_loss(nn.CrossEntropyLoss()))
    return Tool(
        lambda vector: operator.matvec(vector.to(operator.dtype)),
        lambda probes: hutchinson(operator, num_samples=probes, seed=0).estimate,
    )


def krylov(product: Product, dimension: int, seed: int, **options: Any) -> Sequence[float]:
    """Its Lanczos; the number of steps is the user's to guess."""
    return lanczos(_operator(product, dimension), k=TOP, which="LA", seed=seed, **options).eigenvalues.tolist()


def power(product: Product, dimension: int, seed: int, **options: Any) -> Sequence[float]:
    """Its power iteration, one eigenvalue after another."""
    return deflated_power_iteration(_operator(product, dimension), k=TOP, seed=seed, **options).eigenvalues.tolist()


def _operator(product: Product, dimension: int) -> LambdaOperator:
    return LambdaOperator(lambda vector: product(vector).to(vector.dtype), dimension, dtype=torch.float32)


LANCZOS = Method(
    "its Lanczos",
    (NAME,),
    {"defaults (10 steps)": krylov} | {f"{steps} steps": partial(krylov, max_iter=steps) for steps in range(11, MOST)},
    "defaults (10 steps)",
)
POWER = Method(
    "its power iteration",
    (NAME,),
    {
        "tol=1e-2": partial(power, tol=1e-2, max_iter=2000),
        "tol=1e-3": partial(power, tol=1e-3, max_iter=2000),
        "defaults": power,
        "tol=1e-4": partial(power, tol=1e-4, max_iter=2000),
    },
    "defaults",
)
