"""What makes a network narrower, as plain containers: a file may hold it, and no code is needed to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minima.store.command import BadInput

Value = int | tuple[int, ...]
"""of an attribute: a size, or several"""
MOST = 10**6
"""digits of what is kept along an axis"""
KEYS = {"tensors", "attributes", "biases", "identities", "attentions", "merged"}


@dataclass(frozen=True)
class Manifest:
    """A network made narrower: in this order identities, biases, mergers, attentions, tensors, attributes."""

    tensors: Mapping[str, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)
    """parameter or buffer -> axis -> which of its entries are kept, ascending"""
    attributes: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    """module -> attribute that holds a size -> its new value"""
    biases: tuple[str, ...] = ()
    """linear layers and convolutions that get a bias"""
    identities: tuple[str, ...] = ()
    """modules that hand on what they are given"""
    attentions: tuple[str, ...] = ()
    """torch's multi-head attentions that may have fewer heads than their width has room for"""
    merged: tuple[tuple[str, str], ...] = ()
    """pairs of linear layers or convolutions, of which the first computes both from then on and the second hands on"""

    @property
    def changes(self) -> bool:
        """Whether the manifest changes anything."""
        parts = (self.tensors, self.attributes, self.biases, self.identities, self.attentions, self.merged)
        return any(map(bool, parts))

    def plain(self) -> dict[str, Any]:
        """The manifest as JSON has it: what is kept as the bits of a number in hexadecimal, with all axes of which it
        is true.

        >>> Manifest({"fc.weight": {0: (1, 2)}, "fc.bias": {0: (1, 2)}}, {"fc": {"out_features": 2}}).plain()["tensors"]
        [{'kept': '6', 'of': [['fc.weight', 0], ['fc.bias', 0]]}]
        """
        shared: dict[tuple[int, ...], list[list[Any]]] = {}
        for name, axes in self.tensors.items():
            for axis, kept in axes.items():
                shared.setdefault(kept, []).append([name, axis])
        return {
            "tensors": [{"kept": _bits(kept), "of": places} for kept, places in shared.items()],
            "attributes": {
                module: {key: list(value) if isinstance(value, tuple) else value for key, value in own.items()}
                for module, own in self.attributes.items()
            },
            "biases": list(self.biases),
            "identities": list(self.identities),
            "attentions": list(self.attentions),
            **({"merged": [list(pair) for pair in self.merged]} if self.merged else {}),
        }


def parse_manifest(found: Any) -> Manifest:
    """A manifest from what `plain` made of it, each part of the kind that it must be.

    Raises:
        BadInput: it is something else.

    >>> parse_manifest({"tensors": [{"kept": "5", "of": [["fc.weight", 0]]}]}).tensors
    {'fc.weight': {0: (0, 2)}}
    """
    if not isinstance(found, Mapping) or set(found) - KEYS:
        raise _wrong(f"expected the entries {', '.join(sorted(KEYS))}")
    tensors: dict[str, dict[int, tuple[int, ...]]] = {}
    for each in _list(found.get("tensors", [])):
        kept = _places(_mapping(each).get("kept"))
        for place in _list(_mapping(each).get("of")):
            if len(_list(place)) != 2:
                raise _wrong(f"{place!r} is no tensor and axis")
            tensors.setdefault(_name(place[0]), {})[_whole(place[1])] = kept
    attributes = {
        _name(module): {_attribute(key): _value(value) for key, value in _mapping(own).items()}
        for module, own in _mapping(found.get("attributes", {})).items()
    }
    lists = {key: _names(found.get(key, [])) for key in ("biases", "identities", "attentions")}
    return Manifest(tensors, attributes, **lists, merged=tuple(map(_pair, _list(found.get("merged", [])))))


def _wrong(expected: str) -> BadInput:
    return BadInput(f"the checkpoint's entry `shrunk` is damaged: {expected}. Make the file again")


def _mapping(found: Any) -> Mapping[Any, Any]:
    if not isinstance(found, Mapping):
        raise _wrong(f"expected names and what belongs to them, found a {type(found).__name__}")
    return found


def _pair(found: Any) -> tuple[str, str]:
    names = _names(found)
    if len(names) != 2:
        raise _wrong(f"{found!r} is no pair of layers")
    return names[0], names[1]


def _names(found: Any) -> tuple[str, ...]:
    return tuple(_name(name) for name in _list(found))


def _list(found: Any) -> Sequence[Any]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise _wrong(f"expected a list, found a {type(found).__name__}")
    return found


def _name(found: Any) -> str:
    """Of a module or tensor, which is looked up among those alone."""
    if not isinstance(found, str):
        raise _wrong(f"{found!r} is no name")
    return found


def _attribute(found: Any) -> str:
    if _name(found).startswith("__"):
        raise _wrong(f"{found!r} is no name")
    return str(found)


def _whole(found: Any) -> int:
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    raise _wrong(f"{found!r} is no whole number from 0 on")


def _value(found: Any) -> Value:
    if isinstance(found, Sequence) and not isinstance(found, str):
        return tuple(_whole(part) for part in found)
    return _whole(found)


def _bits(places: tuple[int, ...]) -> str:
    """Ascending places as the bits of a number.

    >>> _bits((0, 3)), _places("9")
    ('9', (0, 3))
    """
    return f"{sum(1 << place for place in places):x}"


def _places(found: Any) -> tuple[int, ...]:
    if not isinstance(found, str) or len(found) > MOST or not set(found) <= set("0123456789abcdef"):
        raise _wrong("expected what is kept in hexadecimal")
    bits = bin(int(found or "0", 16))[:1:-1]
    places = tuple(place for place, bit in enumerate(bits) if bit == "1")
    if not places:
        raise _wrong("nothing is kept of a tensor")
    return places
