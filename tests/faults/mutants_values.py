"""Values that no field of a header should have, and headers with one of them in a place that is drawn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

PLAIN: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "negative": lambda: -1,
    "zero": lambda: 0,
    "2^40": lambda: 2**40,
    "2^63": lambda: 2**63,
    "nan": lambda: float("nan"),
    "infinite": lambda: float("inf"),
    "half": lambda: -0.5,
    "empty text": lambda: "",
    "long text": lambda: "x" * 100_000,
    "control": lambda: "a\x1b[31m\nb\0c\u202e",
    "list": lambda: [],
    "table": lambda: {},
    "nested": lambda: {"a": {"b": [1, {"c": None}]}},
    "deep": lambda: _deep(500),
    "true": lambda: True,
    "path": lambda: "npz:/etc/passwd",
    "sizes": lambda: [10**9, 10**9],
    "many": lambda: [1] * 200_000,
}
"""of JSON and TOML as well, but for the infinite"""


def changed(tree: Any, draw: Random, strange: Callable[[Any, Random], tuple[str, Any]]) -> tuple[str, Any]:
    """A copy of nested containers with one to three places deleted, renamed, doubled, nested or replaced.

    Args:
        strange: makes of the value that is there another, and says which.
    """
    tree, said = copy.deepcopy(tree), []
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        places = [place for place in _places(tree) if place]
        if not places:
            break
        place = draw.choice(places)
        box = tree
        for key in place[:-1]:
            box = box[key]
        said.append(f"{'.'.join(map(str, place))}: {_change(box, place[-1], draw, strange)}")
    return "header " + "; ".join(said)[:120], tree


def _change(box: Any, key: Any, draw: Random, strange: Callable[[Any, Random], tuple[str, Any]]) -> str:
    what = draw.choice(["delete", "rename", "nest", "add", "replace", "replace", "replace", "replace"])
    if what == "delete":
        del box[key]
    elif what == "nest":
        box[key] = {"x": box[key]} if draw.random() < 0.5 else [box[key]]
    elif what == "rename" and isinstance(box, dict):
        box[f"{key}x"] = box.pop(key)
    elif what == "add" and isinstance(box, dict):
        box["another"] = box[key]
    else:
        what, box[key] = strange(box[key], draw)
    return what


def plain(_: Any, draw: Random) -> tuple[str, Any]:
    """A strange value, whatever was there."""
    name = draw.choice(list(PLAIN))
    return name, PLAIN[name]()


def _deep(levels: int) -> Any:
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made


def _places(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _places(value, (*place, key))
    elif isinstance(tree, list):
        for number, value in enumerate(tree[:3]):
            yield from _places(value, (*place, number))
