"""`python -m pruning list`: every method in a line."""

from __future__ import annotations

from dataclasses import dataclass

from minima.store.command import Command, Report, render_table
from pruning.composition.method import methods


@dataclass(frozen=True, kw_only=True)
class List(Command):
    """Print every pruning method: phase, description, paper, parts."""


def main(arguments: List) -> Report:  # noqa: ARG001
    """The table, and the same as an object by name."""
    known = methods()
    parts = {name: method().composition().describe() for name, method in known.items()}
    rows = [
        [name, method.phase, method.summary, method.paper, ", ".join(parts[name].values())]
        for name, method in known.items()
    ]
    summary = {
        name: {"phase": method.phase, "summary": method.summary, "paper": method.paper, "parts": parts[name]}
        for name, method in known.items()
    }
    return Report(summary, render_table(("method", "phase", "what it does", "paper", "parts"), rows))
