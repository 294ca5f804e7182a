"""What makes a network narrower, as plain containers: a file may hold it, and no code is needed to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from minima.store.command import BadInput

Value = int | tuple[int, ...]
"""of an attribute: a size, or several"""
KEYS = {"tensors", "attributes", "biases", "identities", "attentions"}


@dataclass(frozen=True)
class Manifest:
    """A network made narrower: in this order identities, biases, attentions, tensors, attributes."""

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

    @property
    def changes(self) -> bool:
        """Whether anything does."""
        return bool(self.tensors or self.attributes or self.biases or self.identities or self.attentions)

    def plain(self) -> dict[str, Any]:
        """As JSON has it.

        >>> Manifest({"fc.weight": {0: (1, 2)}}, {"fc": {"out_features": 2}}).plain()["tensors"]
        {'fc.weight': {'0': [1, 2]}}
        """
        return {
            "tensors": {
                name: {str(axis): list(kept) for axis, kept in axes.items()} for name, axes in self.tensors.items()
            },
            "attributes": {
                module: {key: list(value) if isinstance(value, tuple) else value for key, value in own.items()}
                for module, own in self.attributes.items()
            },
            "biases": list(self.biases),
            "identities": list(self.identities),
            "attentions": list(self.attentions),
        }


def parse_manifest(found: Any) -> Manifest:
    """A manifest from what `plain` made of it, each part of the kind that it must be.

    Raises:
        BadInput: it is something else.

    >>> parse_manifest({"tensors": {"fc.weight": {"0": [0, 2]}}}).tensors
    {'fc.weight': {0: (0, 2)}}
    """
    if not isinstance(found, Mapping) or set(found) - KEYS:
        raise _wrong(f"expected the entries {', '.join(sorted(KEYS))}")
    tensors = {
        _name(name): {_whole(axis): _kept(kept, name) for axis, kept in _mapping(axes).items()}
        for name, axes in _mapping(found.get("tensors", {})).items()
    }
    attributes = {
        _name(module): {_name(key): _value(value) for key, value in _mapping(own).items()}
        for module, own in _mapping(found.get("attributes", {})).items()
    }
    lists = {key: _names(found.get(key, [])) for key in ("biases", "identities", "attentions")}
    return Manifest(tensors, attributes, **lists)


def _wrong(expected: str) -> BadInput:
    return BadInput(f"the checkpoint's entry `shrunk` is damaged: {expected}. Make the file again")


def _mapping(found: Any) -> Mapping[Any, Any]:
    if not isinstance(found, Mapping):
        raise _wrong(f"expected names and what belongs to them, found a {type(found).__name__}")
    return found


def _names(found: Any) -> tuple[str, ...]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise _wrong(f"expected a list of names, found a {type(found).__name__}")
    return tuple(_name(name) for name in found)


def _name(found: Any) -> str:
    if not isinstance(found, str) or any(part.startswith("__") for part in found.split(".")):
        raise _wrong(f"{found!r} is no name")
    return found


def _whole(found: Any) -> int:
    if isinstance(found, str) and found.isdecimal():
        return int(found)
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    raise _wrong(f"{found!r} is no whole number from 0 on")


def _value(found: Any) -> Value:
    if isinstance(found, Sequence) and not isinstance(found, str):
        return tuple(_whole(part) for part in found)
    return _whole(found)


def _kept(found: Any, name: Any) -> tuple[int, ...]:
    kept = _value(found)
    if not isinstance(kept, tuple) or not kept or any(one >= other for one, other in pairwise(kept)):
        raise _wrong(f"{name}: expected ascending places, at least one")
    return kept
