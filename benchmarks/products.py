"""What a product with the Hessian costs with each contestant, and a probe of its trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median

import torch

from benchmarks.alternate import alternate, ratios
from benchmarks.plain_passes import forward_backward
from benchmarks.row import FLOOR, PRODUCT, TRACE, Row
from benchmarks.tool import Tool
from minima.zoo.subject.subject import Subject


def products(subject: Subject, tools: Mapping[str, Tool], rounds: int) -> Iterator[Row]:
    """One vector at a time, as an eigenvalue solver asks for them; what a tool keeps between products it keeps here."""
    dimension = sum(parameter.numel() for parameter in subject.model.parameters())
    vector = torch.randn(dimension, generator=torch.Generator().manual_seed(0))
    works = {FLOOR: floor(subject)} | {name: partial(tool.product, vector) for name, tool in tools.items()}
    seconds = alternate(works, rounds)
    passes = ratios(seconds, FLOOR)
    return (Row(PRODUCT, name, median(times), passes[name]) for name, times in seconds.items())


def traces(subject: Subject, tools: Mapping[str, Tool], probes: int) -> Iterator[Row]:
    """Hutchinson's estimator with as many probes of the same kind, hence with the same standard error; a probe of it.

    One run of each: it is made of many products.
    """
    works = {FLOOR: floor(subject)} | {name: partial(tool.trace, probes) for name, tool in tools.items()}
    seconds = alternate(works, 1, warm_up=False)
    for name in tools:
        (taken,), (base,) = seconds[name], seconds[FLOOR]
        yield Row(TRACE, name, taken / probes, taken / probes / base, products=1)


def floor(subject: Subject) -> partial[None]:
    """What all costs are stated in."""
    return partial(forward_backward, subject.model, subject.x, subject.y, subject.batch_size)
