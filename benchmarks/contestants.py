"""All contestants by name, ours first; needs the peers of .venv-peers."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.tool import Method, Tool
from benchmarks.tools import curvlinops, eigenthings, ours, pyhessian
from minima.zoo.subject.subject import Subject

BUILDERS: dict[str, Callable[[Subject], Tool]] = {
    ours.NAME: ours.build,
    ours.STREAMED: ours.build_streamed,
    pyhessian.NAME: pyhessian.build,
    pyhessian.ONE_BATCH: pyhessian.build_one_batch,
    curvlinops.NAME: curvlinops.build,
    eigenthings.NAME: eigenthings.build,
}
METHODS: tuple[Method, ...] = (
    ours.METHOD,
    curvlinops.METHOD,
    eigenthings.LANCZOS,
    eigenthings.POWER,
    pyhessian.METHOD,
)
