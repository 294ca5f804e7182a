"""What to type for a section that is not there yet: a command's pattern filled with the names of a page's networks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.page.content.results import Result
from figures.page.content.typed import checkpoint, nearby, with_loading


@dataclass(frozen=True)
class Names:
    """The names that may stand in a section's command, where the page knows them."""

    checkpoint: str
    """the first network"""
    other: str
    """the second one"""
    pruned: str
    """the first with removed weights"""
    parent: str
    """the first without"""
    surface: str
    """a surface's results file"""
    trajectory: str


def missing_command(command: str, checkpoints: Sequence[Path], results: Sequence[Result]) -> str:
    """The line for results of this kind, of the networks on the page and with what their results record of them.

    Args:
        command: with the names of `Names` in braces.
        checkpoints: those that were typed.
        results: all that are on the page.
    """
    known = _checkpoints(checkpoints, results)
    first = next((each for each in results if each.origin["arguments"].get("model")), None)
    line = command.format(**{key: shlex.quote(name) for key, name in vars(_names(known, results)).items()})
    return with_loading(line, first.origin["arguments"] if first else {})


def _checkpoints(checkpoints: Sequence[Path], results: Sequence[Result]) -> dict[str, float | None]:
    """Finished networks by their paths, and which share of their weights is removed, where that is known."""
    removed = {each.name: each.summary.get("sparsity") for each in results if each.moment is None and not each.together}
    typed = {path.name: path for path in checkpoints}
    found = {}
    for name in [*typed, *removed]:
        beside = next((checkpoint(each, name) for each in results if each.name == name), Path(name))
        path = typed.get(name, beside)
        found[nearby(path)] = removed.get(name)
    return found


def _names(known: Mapping[str, float | None], results: Sequence[Result]) -> Names:
    finished = [name for name in known if not name.endswith(".trajectory.h5")]
    courses = [name for name in known if name.endswith(".trajectory.h5")]
    first = (finished or ["CHECKPOINT.pt"])[0]
    surfaces = [nearby(each.path) for each in results if each.measure == "surface"]
    stem = first.removesuffix(".pt")
    return Names(
        checkpoint=first,
        other=(finished[1:] or ["OTHER.pt"])[0],
        pruned=next((name for name in finished if known[name]), first if known.get(first) is None else "PRUNED.pt"),
        parent=next((name for name in finished if known[name] == 0), "PARENT.pt"),
        surface=(surfaces or [f"{stem}.surface.h5"])[0],
        trajectory=(courses or [f"{stem}.trajectory.h5"])[0],
    )
