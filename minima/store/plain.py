"""Values as plain containers, and plain containers as strict JSON: what summaries, headers and hashes are made of."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import PurePath
from typing import Any

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def plain(value: Any) -> Any:
    """`value` as nested dict, list, str, int, float, bool and None, in the order given.

    Paths become strings; tuples, arrays and tensors lists; NumPy's and torch's scalars Python's; dataclasses dicts.
    Equal strings are one object in the answer, so that equal values also pickle to equal bytes.

    Raises:
        TypeError: for anything else.

    >>> plain({"b": (1, 2.5), "a": PurePath("x.pt")})
    {'b': [1, 2.5], 'a': 'x.pt'}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | PurePath):
        return sys.intern(str(value))
    for number in (int, float):  # NumPy's float64 is a float: back to Python's own
        if isinstance(value, number):
            return number(value)
    return _plain_container(value)


def _plain_container(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy and torch, scalars too, without importing either
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no plain form: {value!r}")


def nested_deeper(text: str, levels: int) -> bool:
    """Whether a text of JSON has brackets inside one another on more levels than these; those in its strings are none.

    >>> nested_deeper('{"a]]": [1, [2], [3]]}', 3), nested_deeper('{"a]]": [1, [2], [3]]}', 2)
    (False, True)
    """
    if text.count("[") + text.count("{") <= levels:  # nearly always, and found without a look at the strings
        return False
    brackets = _STRINGS.sub(b"", text.encode("utf-8", "surrogatepass")).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(levels):
        brackets = brackets.replace(b"[]", b"")
    return b"[" in brackets


def as_utf8(text: str) -> str:
    """A text that UTF-8 holds: bytes of a name that is none, as Python keeps them, are written as their numbers.

    >>> as_utf8("a\\udcff.pt")
    'a\\\\udcff.pt'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def to_json(value: Any, **layout: Any) -> str:
    """Strict JSON of the plain form: what is not a finite number is `null`; set out as `json.dumps` does by `layout`.

    >>> to_json({"value": float("nan"), "at": (1, 2)})
    '{"value": null, "at": [1, 2]}'
    """
    return json.dumps(_finite(plain(value)), allow_nan=False, **layout)


def _key(key: Any) -> Any:
    if not isinstance(key, str | int | float):
        raise TypeError(f"{type(key).__name__} is no key of a plain dict: {key!r}")
    return sys.intern(key) if isinstance(key, str) else key


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
