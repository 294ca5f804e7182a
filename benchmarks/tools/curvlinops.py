"""curvlinops with SciPy's implicitly restarted Lanczos, as its documentation shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from curvlinops import HessianLinearOperator, hutchinson_trace
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn

from benchmarks.tool import TOP, Method, Product, Tool
from minima.zoo.subject.subject import Subject

NAME = "curvlinops"


def build(subject: Subject) -> Tool:
    """Without its check that the loss is deterministic, which would cost it several products."""
    data = list(zip(subject.x.split(subject.batch_size), subject.y.split(subject.batch_size), strict=True))
    parameters = list(subject.model.parameters())
    operator = HessianLinearOperator(subject.model, nn.CrossEntropyLoss(), parameters, data, check_deterministic=False)
    dtype = parameters[0].dtype
    return Tool(lambda vector: operator @ vector.to(dtype), lambda probes: hutchinson_trace(operator, probes).item())


def arpack(product: Product, dimension: int, seed: int, **options: Any) -> Sequence[float]:
    """SciPy's eigsh from a random start, in the float32 of the operator's own export to SciPy."""
    start = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)

    def matvec(vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(d,) or (d, 1) -> (d,)"""
        return product(torch.from_numpy(np.array(vector).ravel())).numpy()

    operator = LinearOperator((dimension, dimension), matvec=matvec, dtype=np.float32)
    return eigsh(operator, k=TOP, which="LA", v0=start, return_eigenvectors=False, **options).tolist()


METHOD = Method(
    "SciPy's eigsh",
    (NAME,),
    {
        "ncv=11, tol=1e-1": partial(arpack, ncv=11, tol=1e-1),
        "ncv=11, tol=1e-2": partial(arpack, ncv=11, tol=1e-2),
        "tol=1e-3": partial(arpack, tol=1e-3),
        "defaults (tol=0)": arpack,
    },
    "tol=1e-3",
)
