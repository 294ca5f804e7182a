"""`python -m pruning list`: every method in a line."""

from __future__ import annotations

from dataclasses import dataclass

from minima.store.command import Command, Report, render_table
from pruning.composition.layer_method import LayerMethod, layer_methods
from pruning.composition.method import Method, methods


@dataclass(frozen=True, kw_only=True)
class List(Command):
    """Print every pruning method: phase, description, paper, parts."""


def main(arguments: List) -> Report:  # noqa: ARG001
    """The table, and the same as an object by name."""
    known: dict[str, type[Method] | type[LayerMethod]] = {**methods(), **layer_methods()}
    parts = {name: _parts(method) for name, method in known.items()}
    rows = [
        [name, method.phase, method.summary, method.paper, ", ".join(parts[name].values())]
        for name, method in known.items()
    ]
    summary = {
        name: {"phase": method.phase, "summary": method.summary, "paper": method.paper, "parts": parts[name]}
        for name, method in known.items()
    }
    return Report(summary, render_table(("method", "phase", "what it does", "paper", "parts"), rows))


def _parts(method: type[Method] | type[LayerMethod]) -> dict[str, str]:
    if issubclass(method, LayerMethod):
        return {f"part {place}": words for place, words in enumerate(method.parts, 1)}
    return method().composition().describe()
