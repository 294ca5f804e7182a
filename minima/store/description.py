"""What a format's header must be, written down field by field, and one check that holds a header against it.

A description is made of `Rule`, `ListOf`, `TableOf` and `Fields`. The check names the field, what was expected and what
was found, so that each format has one place where its header is described and nothing behind it has to look again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minima.store.messages import BadInput

DEEPEST = 30
"""levels of containers in a header"""
MOST = 1_000_000
"""values in one"""
LONGEST = 60
"""letters of a value in a message"""
LARGEST = 2**63
"""whole numbers lie below it, and not below its negative"""


@dataclass(frozen=True)
class Rule:
    """A value by itself: what it must be in words, and whether it is."""

    words: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class ListOf:
    """A list or tuple of at least `least` and at most `most` values that are all alike."""

    each: Description
    least: int = 0
    most: int = 100_000


@dataclass(frozen=True)
class TableOf:
    """A table from names to values that are all alike."""

    each: Description
    keys: Rule = Rule("a text", lambda key: isinstance(key, str))


@dataclass(frozen=True)
class Fields:
    """A table with named fields: those that must be there, those that may, and what all others are."""

    must: Mapping[str, Description] = field(default_factory=dict)
    may: Mapping[str, Description] = field(default_factory=dict)
    others: Description | None = None
    """None: there are no others"""


@dataclass(frozen=True)
class Maybe:
    """A value that may be None, or else is as described."""

    rule: Description


Description = Rule | ListOf | TableOf | Fields | Maybe


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value < LARGEST


def _number(value: Any) -> bool:
    return _whole(value) or isinstance(value, float)


TEXT = Rule("a text", lambda value: isinstance(value, str))
NAME = Rule("a text that is not empty", lambda value: isinstance(value, str) and value != "")
FLAG = Rule("true or false", lambda value: isinstance(value, bool))
WHOLE = Rule("a whole number", _whole)
COUNT = Rule("a whole number, 0 or more", lambda value: _whole(value) and value >= 0)
SIZE = Rule("a whole number, 1 or more", lambda value: _whole(value) and value >= 1)
NUMBER = Rule("a number", _number)
FINITE = Rule("a finite number", lambda value: _number(value) and math.isfinite(value))
POSITIVE = Rule("a finite number above 0", lambda value: _number(value) and 0 < value < math.inf)
SHARE = Rule("a fraction, at least 0 and below 1", lambda value: _number(value) and 0 <= value < 1)
SHAPE = ListOf(SIZE, most=16)


def one_of(*values: Any) -> Rule:
    """What describes a value that is one of a few.

    >>> one_of("epoch", "step").words
    "'epoch' or 'step'"
    """
    return Rule(
        " or ".join(map(repr, values)),
        lambda value: any(value == each and type(value) is type(each) for each in values),
    )


def _plain(value: Any) -> bool:
    """Whether a tree is of plain values; a list that holds itself, or is held a million times, is not."""
    level, looked = [value], 0
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, Mapping):
                if not all(isinstance(key, str) or _whole(key) for key in each):
                    return False
                inner += each.values()
            elif isinstance(each, list | tuple):
                inner += each
            elif not (each is None or isinstance(each, str | bool) or _number(each)):
                return False
            looked += 1
            if looked + len(inner) > MOST:
                return False
        if not inner:
            return True
        level = inner
    return False


PLAIN = Rule("numbers, texts, lists and tables of these", _plain)

ANYTHING = Rule("anything", lambda _: True)


def check(value: Any, description: Description, where: str, name: str = "") -> None:
    """See that a value is as described.

    Args:
        where: what holds the value, such as a file, for the message.
        name: what the value is called there, dotted; "" is the whole of it.

    Raises:
        BadInput: the first field that is missing, unknown or another thing than expected, and what it is.

    >>> check({"seed": 1.5}, Fields({"seed": WHOLE}), "x.pt")
    Traceback (most recent call last):
    minima.store.messages.BadInput: x.pt: seed is 1.5, expected a whole number
    """
    if isinstance(description, Maybe):
        if value is not None:
            check(value, description.rule, where, name)
    elif isinstance(description, Rule):
        if not description.holds(value):
            _refuse(value, description.words, where, name)
    elif isinstance(description, ListOf):
        _check_list(value, description, where, name)
    elif not isinstance(value, Mapping):
        _refuse(value, "a table of names and values", where, name)
    elif isinstance(description, TableOf):
        for key, each in value.items():
            check(key, description.keys, where, f"a name in {name}" if name else "a name")
            check(each, description.each, where, _below(name, key))
    else:
        _check_fields(value, description, where, name)


def _check_list(value: Any, description: ListOf, where: str, name: str) -> None:
    if not isinstance(value, list | tuple) or not description.least <= len(value) <= description.most:
        _refuse(value, f"a list of {description.least} to {description.most:,} values", where, name)
    for place, each in enumerate(value):
        check(each, description.each, where, f"{name}[{place}]")


def _check_fields(value: Mapping[Any, Any], description: Fields, where: str, name: str) -> None:
    known = {**description.must, **description.may}
    for key in description.must:
        if key not in value:
            there = ", ".join(shown(each) for each in list(value)[:8]) or "nothing"
            raise BadInput(f"{where} has no {_below(name, key)}, expected {words(known[key])}. It has {there}")
    for key, each in value.items():
        rule = known.get(key, description.others) if isinstance(key, str) else None
        if rule is None:
            raise BadInput(f"{where}: {name or 'it'} has the field {shown(key)}. Known: {', '.join(known)}")
        check(each, rule, where, _below(name, key))


def _refuse(value: Any, expected: str, where: str, name: str) -> None:
    raise BadInput(f"{where}: {name or 'what it holds'} is {shown(value)}, expected {expected}")


def _below(name: str, key: Any) -> str:
    text = key if isinstance(key, str) and key.isprintable() and len(key) <= LONGEST else shown(key)
    return f"{name}.{text}" if name else text


def words(description: Description) -> str:
    """What a description expects, in words."""
    if isinstance(description, Maybe):
        return words(description.rule)
    if isinstance(description, Rule):
        return description.words
    return "a list" if isinstance(description, ListOf) else "a table"


def shown(value: Any) -> str:
    """A value of whatever kind and size as a few letters, without anything of it that a terminal would act on.

    >>> shown("x" * 100)[-5:], shown([[]] * 3), shown(10**5000)
    ('xx...', 'a list of 3', 'a whole number of 16,610 bits')
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= LARGEST:
        return f"a whole number of {value.bit_length():,} bits"
    if isinstance(value, str | bytes):
        text = ascii(value[: LONGEST + 1])
        return text if len(value) <= LONGEST and len(text) <= 2 * LONGEST else f"{text[:LONGEST]}..."
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{str(value.dtype).removeprefix('torch.')} numbers of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}" + (
        f" of {len(value)}" if isinstance(value, list | tuple | Mapping | set) else ""
    )
