"""How far masks of many rounds depend on the rounding of counts: one weight more in the first cut, all else alike.

Methods that cut in rounds before training, on small networks trained on the digits. Both masks keep equally many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.kept import keep
from benchmarks.known import check
from benchmarks.pruned import NETWORKS
from minima.store.command import Command, Report, render_table, run

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.subject.subject import Subject
    from pruning.composition.composition import Composition
    from pruning.schedules.event import Event, Span
    from pruning.schedules.schedule import Schedule

LINES = ("snip-it", "synflow", "synflow --rounds 10")
OUT = Path("out/benchmarks/rounding.json")
COLUMNS = ("network", "method", "sparsity", "survivors that differ")


@dataclass(frozen=True, kw_only=True)
class Rounding(Command):
    """What part of the survivors changes if the first cut removes one weight more."""

    networks: tuple[str, ...] = tuple(NETWORKS)
    """trained on the digits in seconds"""
    methods: tuple[str, ...] = LINES
    """each as it is typed behind `python -m pruning`, flags and all"""
    sparsity: tuple[float, ...] = (0.9, 0.98)
    """fractions removed in the end"""


@dataclass(frozen=True)
class OneMore:
    """Another schedule, whose first cut removes one weight more."""

    schedule: Schedule
    weights: int
    """that sparsity is counted over"""
    gradual: ClassVar[bool] = False

    def events(self, span: Span) -> list[Event]:
        """
        >>> from pruning.schedules.event import Span
        >>> from pruning.schedules.exponential import Exponential
        >>> [round(event.sparsity, 6) for event in OneMore(Exponential(2), 100).events(Span(0.0, (0.75,), 1, 1))]
        [0.51, 0.75]
        """
        first, *others = self.schedule.events(span)
        return [replace(first, sparsity=first.sparsity + 1 / self.weights), *others]


def main(arguments: Rounding) -> Report:
    """Cut twice each; write the JSON and return the table."""
    import torch

    from benchmarks.pruned import method, network

    check("--networks", arguments.networks, NETWORKS)
    torch.set_num_threads(1)
    found = [
        {"network": name, "method": words, "sparsity": sparsity, "changed": changed(subject, parts, sparsity)}
        for name in arguments.networks
        for subject in [network(name)]
        for words in arguments.methods
        for parts in [method(words).composition()]
        for sparsity in arguments.sparsity
    ]
    summary: dict[str, Any] = {"rows": found}
    rows = [list(row.values()) for row in found]
    keep(OUT, summary, COLUMNS, rows)
    return Report(summary, f"{render_table(COLUMNS, rows)}\n\nWritten to {OUT}")


def changed(subject: Subject, parts: Composition, sparsity: float) -> float:
    """The part of the survivors that are others."""
    from minima.zoo.anatomy.prunable import prunable

    weights = sum(weight.numel() for weight in prunable(subject.model).values())
    plain = _survivors(subject, parts, sparsity)
    nudged = _survivors(subject, replace(parts, schedule=OneMore(parts.schedule, weights)), sparsity)
    return int((plain & ~nudged).sum()) / int(plain.sum())


def _survivors(subject: Subject, parts: Composition, sparsity: float) -> Tensor:
    import torch

    from pruning.collapse.critical import before_training

    engine = before_training(parts, subject, 0, (sparsity,))
    engine.complete()
    return torch.cat([mask.flatten() for mask in engine.masks.values()])


if __name__ == "__main__":
    run(Rounding, main, prog="python -m benchmarks.rounding")
