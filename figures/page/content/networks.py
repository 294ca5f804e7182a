"""The networks on a page: one name and one look each, the same in every section and in the static pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from figures.drawing.networks import network_looks
from figures.drawing.style import Look
from figures.page.content.results import Result

SYMBOLS = {
    **{"D": "diamond", "d": "diamond-tall", "o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down"},
    **{"P": "cross", "X": "x", "*": "star", "<": "triangle-left", ">": "triangle-right", "h": "hexagon"},
    **{"p": "pentagon", "8": "octagon"},
}
"""matplotlib's markers as Plotly calls them"""
TRAINING = "training"
DASHES = {"-": "solid", ":": "dot", "-.": "dashdot", "--": "dash"}


@dataclass(frozen=True)
class Network:
    """One checkpoint, or one training, which is all its kept moments."""

    label: str
    sha256: str
    training: bool
    look: dict[str, Any]
    """colour, symbol and dash"""


@dataclass(frozen=True)
class Networks:
    """All that are on the page, in the order in which they came."""

    every: tuple[Network, ...]
    places: dict[tuple[str, str], int]

    def place(self, result: Result) -> int:
        """Which of the networks a result of a single checkpoint is of."""
        return self.places[_key(result)]

    def label(self, result: Result) -> str:
        """Its name on the page."""
        return self.every[self.place(result)].label

    def called(self, sha256: str) -> str:
        """The name of the checkpoint with this hash; the hash's beginning where it is not on the page."""
        names = [network.label for network in self.every if network.sha256 == sha256 and not network.training]
        return names[0] if names else f"{sha256[:8]}…"


def networks_of(results: Sequence[Result]) -> Networks:
    """The networks that some results are of; equal names of different files are told apart by a number."""
    keys = list(dict.fromkeys(_key(result) for result in results if not result.together))
    first = {_key(result): result for result in reversed(results) if not result.together}
    looks = _looks(keys)
    every, seen = [], dict[str, int]()
    for key in keys:
        training, look = first[key].moment is not None, looks[key]
        name = f"{key[0]} (training)" if training else key[0]
        seen[name] = seen.get(name, 0) + 1
        label = name if seen[name] == 1 else f"{name} ({seen[name]})"
        dash = DASHES.get(look.line, "dash") if isinstance(look.line, str) else "dash"
        drawn = {"colour": look.colour, "symbol": SYMBOLS.get(look.marker, "circle"), "dash": dash}
        every.append(Network(label, first[key].sha256[0], training, drawn))
    return Networks(tuple(every), {key: place for place, key in enumerate(keys)})


def _looks(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Look]:
    """Those of the static pictures; a training looks as the network that it ends in, where that is on the page."""
    done = [key for key in keys if key[1] != TRAINING]
    found = dict(zip(done, network_looks([f"{name}.pt" for name, _ in done]) if done else [], strict=True))
    ends = {name: look for (name, _), look in found.items()}
    alone = [key for key in keys if key[1] == TRAINING and key[0] not in ends]
    found |= dict(zip(alone, network_looks([f"{name}.pt" for name, _ in alone]) if alone else [], strict=True))
    return found | {key: ends[key[0]] for key in keys if key[1] == TRAINING and key[0] in ends}


def _key(result: Result) -> tuple[str, str]:
    return result.stem, TRAINING if result.moment is not None else result.sha256[0]
