"""What to type for a section that is not there yet: a command's pattern filled with the names of a page's networks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.page.content.results import Result
from figures.page.content.typed import checkpoint, nearby, with_loading


@dataclass(frozen=True)
class Names:
    """The names that may stand in a section's command, where the page knows them."""

    checkpoint: str
    """the first network"""
    other: str
    """the next one of its class and data"""
    pruned: str
    """the first with removed weights"""
    parent: str
    """the first without, of that one's class and data"""
    surface: str
    """a surface's results file"""
    trajectory: str


@dataclass(frozen=True)
class Known:
    """What the page's results say of a checkpoint."""

    removed: float | None
    """share of its weights, where that is known"""
    arguments: Mapping[str, Any]
    """the flags of one of its results"""
    kind: str | None
    """its class and its data; None where no result says them"""


def missing_command(command: str, checkpoints: Sequence[Path], results: Sequence[Result]) -> str:
    """The line for results of this kind, of the networks on the page and with what their results record of them.

    The flags are those of the networks that the line names; what stands in the place of one that is not on the page
    has none, unless all networks on the page have the same.

    Args:
        command: with the names of `Names` in braces.
        checkpoints: those that were typed.
        results: all that are on the page.
    """
    known = _checkpoints(checkpoints, results)
    names = vars(_names(known, results))
    line = command.format(**{key: shlex.quote(name) for key, name in names.items()})
    of = [known[name] for key, name in names.items() if f"{{{key}}}" in command and name in known]
    kinds = {each.kind for each in known.values()}
    shared = [each for each in known.values() if each.arguments.get("model")] or list(known.values())
    owner = of or (shared if len(kinds) == 1 else [])
    return with_loading(line, owner[0].arguments if owner else {})


def _checkpoints(checkpoints: Sequence[Path], results: Sequence[Result]) -> dict[str, Known]:
    """Finished networks by their paths, and what is known of each."""
    of_one = list(dict.fromkeys(each.name for each in results if each.moment is None and not each.together))
    typed = {path.name: path for path in checkpoints}
    found = {}
    for name in dict.fromkeys([*typed, *of_one]):
        beside = next((checkpoint(each, name) for each in results if each.name == name), Path(name))
        found[nearby(typed.get(name, beside))] = _known(name, results)
    return found


def _known(name: str, results: Sequence[Result]) -> Known:
    """From a checkpoint's own results; from those with others, as a path's, where it has none."""
    alone = [each for each in results if not each.together and each.name.partition("@")[0] == name]
    removed = [each.summary.get("sparsity") for each in alone if each.moment is None]
    both = [*alone, *(each for each in results if each.together and name in each.names)]
    said = sorted(both, key=lambda each: not each.origin["arguments"].get("model"))
    arguments = said[0].origin["arguments"] if said else {}
    return Known(removed[-1] if removed else None, arguments, next(_kinds(name, both), None))


def _kinds(name: str, results: Sequence[Result]) -> Iterator[str]:
    """Class and data of a checkpoint, as each of its results records them."""
    for each in results:
        row = each.names.index(name) if name in each.names else 0
        said = [_of(each.origin.get(key), row) for key in ("model", "data")]
        if any(said):
            yield json.dumps(said, sort_keys=True)


def _of(found: Any, row: int) -> Any:
    """What a file records, or its part of one of several checkpoints."""
    own = found[row] if isinstance(found, list) and row < len(found) else found
    return json.loads(own) if isinstance(own, str) and own[:1] == "{" else own


def _names(known: Mapping[str, Known], results: Sequence[Result]) -> Names:
    finished = [name for name in known if not name.endswith(".trajectory.h5")]
    courses = [name for name in known if name.endswith(".trajectory.h5")]
    first = (finished or ["CHECKPOINT.pt"])[0]
    surfaces = [nearby(each.path) for each in results if each.measure == "surface"]
    stem = first.removesuffix(".pt")
    pruned, parent = _pruned_and_parent(first, {name: known[name] for name in finished})
    return Names(
        checkpoint=first,
        other=next((name for name in finished[1:] if known[name].kind == known[first].kind), "OTHER.pt"),
        pruned=pruned,
        parent=parent,
        surface=(surfaces or [f"{stem}.surface.h5"])[0],
        trajectory=(courses or [f"{stem}.trajectory.h5"])[0],
    )


def _pruned_and_parent(first: str, known: Mapping[str, Known]) -> tuple[str, str]:
    """The first pair of one class and data; where there is none, one of both and what stands for the other."""
    dense = [name for name in known if known[name].removed == 0]
    sparse = [name for name in known if known[name].removed]
    pairs = [(one, other) for one in sparse for other in dense if known[one].kind == known[other].kind]
    if pairs:
        return pairs[0]
    if sparse:
        return sparse[0], "PARENT.pt"
    if first in known and known[first].removed is None:
        return first, next((name for name in dense if known[name].kind == known[first].kind), "PARENT.pt")
    return "PRUNED.pt", (dense or ["PARENT.pt"])[0]
