"""The networks on a page: one name and one look each, the same in every section and in the static pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from figures.drawing.networks import network_looks, seed_and_method
from figures.drawing.style import Look, looks
from figures.page.content.results import Result
from figures.reading.conditions import conditions, telling, with_words

SYMBOLS = {
    **{"D": "diamond", "d": "diamond-tall", "o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down"},
    **{"P": "cross", "X": "x", "*": "star", "<": "triangle-left", ">": "triangle-right", "h": "hexagon"},
    **{"p": "pentagon", "8": "octagon"},
}
"""matplotlib's markers as Plotly calls them"""
PART = re.compile(r"[^.-]+[.-]?|[.-]")
TRAINING = "training"
DASHES = {"-": "solid", ":": "dot", "-.": "dashdot", "--": "dash"}


@dataclass(frozen=True)
class Network:
    """One checkpoint, or one training, which is all its kept moments."""

    label: str
    sha256: str
    name: str
    """of its file"""
    training: bool
    look: dict[str, Any]
    """colour, symbol and dash"""


@dataclass(frozen=True)
class Networks:
    """All that are on the page, in the order in which they came."""

    every: tuple[Network, ...]
    places: dict[tuple[str, str], int]
    told: Mapping[tuple[Path, str], str] = field(default_factory=dict)
    """behind the label of a result, which its file and its checkpoint's name tell: what sets it apart"""

    def place(self, result: Result) -> int:
        """Which of the networks a result of a single checkpoint is of."""
        return self.places[_key(result)]

    def label(self, result: Result) -> str:
        """Its name on the page, with what sets this result apart where that is told."""
        return with_words(self.every[self.place(result)].label, self.told.get((result.path, result.name), ""))

    def telling(self, results: Sequence[Result]) -> Networks:
        """These, and in the labels of some results of which weights they are, and what else differs between them."""
        words = telling([conditions(each.summary, each.origin["arguments"]) for each in results])
        return replace(self, told={(each.path, each.name): said for each, said in zip(results, words, strict=True)})

    def called(self, sha256: str) -> str:
        """The name of the checkpoint with this hash; the hash's beginning where it is not on the page."""
        names = [network.label for network in self.every if network.sha256 == sha256 and not network.training]
        return names[0] if names else f"{sha256[:8]}…"

    def short(self) -> list[str]:
        """What tells each name from the others: without the words that all begin and end with."""
        return without_common([network.label for network in self.every])

    def file(self, sha256: str) -> str:
        """The name of the file with this hash; words that say so where it is not on the page."""
        names = [network.name for network in self.every if network.sha256 == sha256]
        return names[0] if names else f"CHECKPOINT-{sha256[:8]}"


def without_common(names: Sequence[str]) -> list[str]:
    """Names without the parts, which end in a dot or a hyphen, that all of them begin with, and end with.

    >>> without_common(["net-seed0.dense", "net-seed0.magnitude-0.9"]), without_common(["a.x", "b.x"])
    (['dense', 'magnitude-0.9'], ['a', 'b'])
    """
    parts = [PART.findall(name) for name in names]
    if len(set(names)) < 2:
        return list(names)
    shortest = min(map(len, parts)) - 1
    first = next((at for at in range(shortest) if len({each[at] for each in parts}) > 1), shortest)
    room = shortest - first
    last = next((at for at in range(room) if len({each[-1 - at] for each in parts}) > 1), room)
    return ["".join(each[first : len(each) - last]).strip(".-") for each in parts]


def networks_of(results: Sequence[Result]) -> Networks:
    """The networks that some results are of; equal names of different files are told apart by a number."""
    keys = list(dict.fromkeys(_key(result) for result in results if not result.together))
    first = {_key(result): result for result in reversed(results) if not result.together}
    looks = _looks(keys)
    every, seen = [], dict[str, int]()
    for key in keys:
        training, look, name = first[key].moment is not None, looks[key], first[key].name.partition("@")[0]
        words = f"{key[0]} (training)" if training else key[0]
        seen[words] = seen.get(words, 0) + 1
        label = words if seen[words] == 1 else f"{words} ({seen[words]})"
        dash = DASHES.get(look.line, "dash") if isinstance(look.line, str) else "dash"
        drawn = {"colour": look.colour, "symbol": SYMBOLS.get(look.marker, "circle"), "dash": dash}
        every.append(Network(label, first[key].sha256[0], name, training, drawn))
    return Networks(tuple(every), {key: place for place, key in enumerate(keys)})


def _looks(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Look]:
    """Those of the static pictures; a training looks as the network that it ends in, where that is on the page."""
    done = [key for key in keys if key[1] != TRAINING]
    found = dict(zip(done, _beside([f"{name}.pt" for name, _ in done]) if done else [], strict=True))
    ends = {name: look for (name, _), look in found.items()}
    alone = [key for key in keys if key[1] == TRAINING and key[0] not in ends]
    found |= dict(zip(alone, network_looks([f"{name}.pt" for name, _ in alone]) if alone else [], strict=True))
    return found | {key: ends[key[0]] for key in keys if key[1] == TRAINING and key[0] in ends}


def _beside(names: Sequence[str]) -> list[Look]:
    """One look for a method, whatever its seed, where each seed has it once."""
    found = [seed_and_method(name) for name in names]
    if len(set(found)) < len(found):
        return network_looks(names)
    return list(map(looks(sorted({method for _, method in found})).__getitem__, (method for _, method in found)))


def _key(result: Result) -> tuple[str, str]:
    return result.stem, TRAINING if result.moment is not None else result.sha256[0]
