"""This suite, with the defaults of its command."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchmarks.row import OURS
from benchmarks.tool import TOP, Method, Product, Tool
from landscape.objective.objective import MEMORY, Objective
from landscape.objective.streams import stream
from landscape.spectrum.lanczos import top_eigenpairs
from landscape.spectrum.trace import hutchinson
from minima.zoo.subject.subject import Subject

NAME = OURS
STREAMED = f"{OURS}, --memory 0"
"""time for memory"""


def build(subject: Subject, memory: int = MEMORY) -> Tool:
    """With its own check that the loss is a function of the weights."""
    data = {"masks": subject.masks, "batch_size": subject.batch_size, "memory": memory}
    objective = Objective(subject.model, subject.x, subject.y, **data)

    def trace(probes: int) -> float:
        draws = stream(0, "trace")
        return hutchinson(objective.hvp, lambda: objective.signs(draws), probes).value

    return Tool(objective.hvp, trace)


def build_streamed(subject: Subject) -> Tool:
    """With no graph kept from one product to the next."""
    return build(subject, 0)


def lanczos(product: Product, dimension: int, seed: int) -> Sequence[float]:
    """As `python -m landscape.hessian` does it."""
    draws = stream(seed, "lanczos")
    normal = lambda: torch.randn(dimension, generator=draws, dtype=torch.float64)  # noqa: E731
    return top_eigenpairs(product, normal, dimension, TOP).values.tolist()


METHOD = Method("Lanczos", (NAME, STREAMED), {"defaults": lanczos}, "defaults")
