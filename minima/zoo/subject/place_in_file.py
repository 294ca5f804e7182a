"""Where in a file of somebody else the network is: the place whose tensors fit, or the one that `--entry` names."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

from minima.store.checkpoints.foreign import Foreign
from minima.store.command import BadInput
from minima.zoo.subject.comparing import Comparison, comparisons
from minima.zoo.subject.meaning import changed
from minima.zoo.subject.misfit import misfit
from minima.zoo.subject.names import COUNTERS, WRAPPERS, last, wrappers_in
from minima.zoo.subject.slots import Slots

USUAL = re.compile(r"state_dict|model_state_dict|model|model_state|net|network|module|weights|params|student")
"""what the weights that were trained are mostly called"""
OTHERS = re.compile(
    r"ema|swa|average|averaged|avg|polyak|shadow|teacher|target|best|init|initial|old|prev|previous|momentum|"
    r"exp|grad|grads|gradients|optimizer|optim"
)
"""words in the names of what lies beside them: averages, earlier weights, what the optimiser keeps"""


def choose(
    foreign: Foreign, slots: Slots, path: Path, model_name: str, entry: str | None
) -> tuple[Comparison, list[str]]:
    """The place in the file whose tensors go into the network, and what was decided on the way.

    Raises:
        BadInput: nothing there fits, or it cannot be told which of several was meant.
    """
    if not foreign.tensors:
        raise BadInput(
            f"{path} holds no tensors: expected a state dict, in whatever container.\n"
            f"Its keys: {', '.join(foreign.keys[:8]) or 'none'}"
        )
    places = _places(foreign, entry, path)
    fitting, nearest = _fitting(foreign, slots, places)
    if not fitting:
        raise BadInput(misfit(foreign, slots, nearest, path, model_name))
    # the sort is stable: of equals the first in the file is taken
    fitting.sort(key=lambda fit: (_changes(foreign, slots, fit), _rank(fit.entry), -len(fit.sources)))
    best, *others = fitting
    rivals = [other for other in others if not _same_tensors(foreign, best, other)]
    notes = _said(foreign, best, path)
    if rivals and entry is None:
        notes.append(_rivalry(foreign, best, rivals, path))
    if entry is None:
        _check_whole(foreign, best, path)
    return best, notes


def _places(foreign: Foreign, entry: str | None, path: Path) -> Counter[str]:
    """Every place, the file itself first, and how many tensors lie there; below `entry` only, where it is given."""
    places = Counter([""] * len(foreign.tensors))
    for name in foreign.tensors:
        parts = name.split(".")
        places.update(".".join(parts[:length]) for length in range(1, len(parts)))
    if entry is None:
        return places
    below = Counter({name: held for name, held in places.items() if f"{name}.".startswith(f"{entry}.")})
    if not below:
        names = sorted(foreign.containers - {""}) or [name for name in places if name and "." not in name]
        close = get_close_matches(entry, names, n=1, cutoff=0.3)
        raise BadInput(
            f"--entry {entry}: {path} has no tensors there. It has: {', '.join(names[:8]) or 'no entries'}"
            + (f".\nType --entry {close[0]}" if close else "")
        )
    return below


def _fitting(foreign: Foreign, slots: Slots, places: Counter[str]) -> tuple[list[Comparison], Comparison]:
    """The places that fit, each in the first way in which it does; and of all ways the one that came nearest."""
    least = sum(1 for name in slots.tensors if last(name) not in COUNTERS) - sum(len(tie) - 1 for tie in slots.ties)
    fitting, nearest = [], None
    for place, held in places.items():
        if nearest is not None and held < least and held <= nearest.matches:
            continue
        for way in comparisons(foreign.tensors, place, slots):
            if nearest is None or (way.matches, -len(way.extra)) > (nearest.matches, -len(nearest.extra)):
                nearest = way
            if way.fits:
                fitting.append(way)
                break
    assert nearest is not None
    return fitting, nearest


def _changes(foreign: Foreign, slots: Slots, fit: Comparison) -> bool:
    """Whether a tensor would change its meaning: another place may hold the same network without."""
    return any(
        changed(name, foreign.tensors[source[0]], slots.tensors[name]) is not None
        for name, source in fit.sources.items()
    )


def _rank(place: str) -> int:
    """0 for the names that weights mostly have, 2 for what is mostly beside them, 1 for all others."""
    parts = [part for part in place.split(".") if part not in WRAPPERS and part]
    if any(OTHERS.fullmatch(word) for part in parts for word in re.split(r"[\W_]+", part.lower())):
        return 2
    return 0 if not parts or USUAL.fullmatch(parts[-1]) else 1


def _same_tensors(foreign: Foreign, one: Comparison, other: Comparison) -> bool:
    """Whether two places hold the same network; one may lack counters and copies of what is tied."""
    import torch

    for name in one.sources.keys() & other.sources.keys():
        if len(one.sources[name]) != len(other.sources[name]):
            return False
        for mine, its in zip(one.sources[name], other.sources[name], strict=True):
            a, b = foreign.tensors[mine], foreign.tensors[its]
            if mine != its and not (a is b or (a.dtype == b.dtype and a.layout == b.layout and torch.equal(a, b))):
                return False
    return True


def _container(foreign: Foreign, place: str) -> str:
    """The innermost container around a place, which may be the place itself."""
    while place and place not in foreign.containers:
        place = place.rpartition(".")[0]
    return place


def _left(foreign: Foreign, fit: Comparison) -> list[str]:
    """Tensors of the same container that are not taken, but for counters."""
    around = _container(foreign, fit.entry)
    if around == fit.entry or around not in foreign.containers:
        return []
    return [
        name
        for name in foreign.tensors
        if last(name) not in COUNTERS
        and not name.startswith(f"{fit.entry}.")
        and _container(foreign, name.rpartition(".")[0]) == around
    ]


def _said(foreign: Foreign, fit: Comparison, path: Path) -> list[str]:
    """What was assumed of names, in words."""
    around = _container(foreign, fit.entry)
    taken_off = fit.entry.removeprefix(around).strip(".")
    notes = []
    if around if around in foreign.containers else fit.entry:
        notes.append(f"{path.name}: took the entry {around or fit.entry}")
    if taken_off and around in foreign.containers:
        notes.append(f"{path.name}: took the prefix {taken_off}. off the names")
    if fit.prefix:
        notes.append(f"{path.name}: put the prefix {fit.prefix} before the names")
    if fit.rewritten:
        notes.append(f"{path.name}: {_rewritten(fit)}")
    if left := _left(foreign, fit):
        shown = ", ".join(left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
        notes.append(f"{path.name}: left out what lies beside the network: {shown}")
    return notes


def _rewritten(fit: Comparison) -> str:
    names = [part for name, source in fit.sources.items() for part in (name, *source)]
    found = [f"{wrapper}." for wrapper in wrappers_in(names)]
    if not found:
        return "read its weight or spectral norm as torch's other form of the same"
    return f"took {' and '.join(found)} out of the names"


def _rivalry(foreign: Foreign, best: Comparison, rivals: list[Comparison], path: Path) -> str:
    """Which of several was taken.

    Raises:
        BadInput: they are parts of one state dict, and nothing in their names says which is meant.
    """
    names = [rival.entry or "the file itself" for rival in rivals]
    others = " or ".join(f"--entry {name}" for name in names[:3])
    if best.entry not in foreign.containers and best.entry and _rank(best.entry) == _rank(rivals[0].entry) == 1:
        raise BadInput(
            f"{path} holds {len(rivals) + 1} networks that fit: {', '.join([best.entry, *names][:5])}.\n"
            f"Say which: --entry {best.entry} or {others}"
        )
    return (
        f"{path.name}: {len(rivals) + 1} entries with different tensors fit; took {best.entry or 'the file itself'} "
        f"({others} takes {'the other' if len(rivals) == 1 else 'another'})"
    )


def _check_whole(foreign: Foreign, fit: Comparison, path: Path) -> None:
    """A part of a state dict is taken unasked only if it is the most of it, or has a wrapper's name."""
    left = sum(foreign.tensors[name].numel() for name in _left(foreign, fit))
    taken = sum(foreign.tensors[name].numel() for source in fit.sources.values() for name in source)
    if left > taken and _rank(fit.entry) != 0:
        raise BadInput(
            f"{path}: what fits is {fit.entry}, {taken:,} of {taken + left:,} numbers in this state dict.\n"
            f"To measure this part alone, add --entry {fit.entry}; to measure the whole, name its network with --model"
        )
