"""Dataclasses from TOML's tables: every key known, every value of its type, and what is wrong said by file and key."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from minima.store.command import BadInput

T = TypeVar("T")

FLAGS, BY_NAME = "flags", "by name"
Flags = Annotated[str, FLAGS]
"""of a command, as they are typed behind it"""
NEVER = ("--help", "-h", "--json", "--debug", "--overwrite", "--out", "-o")
"""flags that a study has no use for, or gives itself"""
WORDS: dict[Any, str] = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def build(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """The dataclass `kind` with the values of a table; keys that are not given have their defaults.

    Types are str, int, float, bool, `Flags`, dataclasses (tables), tuples of these (lists), and, marked `BY_NAME`,
    tuples of dataclasses with a `name` (tables of tables). `where` says where the table stands.

    Raises:
        BadInput: a key is unknown or missing, or a value is of another type.
    """
    if not isinstance(table, Mapping):
        raise BadInput(f"{where} = {_shown(table)}: expected a table of keys and values")
    hints = get_type_hints(kind, include_extras=True)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            raise BadInput(f"{where}: there is no key {key!r}.{meant} Known: {', '.join(known)}")
    for key, field in known.items():
        if key not in table and field.default is MISSING and field.default_factory is MISSING:
            raise BadInput(f"{where}: the key {key!r} is missing: expected {_expected(hints[key])}")
    return kind(**{key: _value(hints[key], value, where, key) for key, value in table.items()})


@cache
def split_flags(text: str) -> tuple[str, ...]:
    """Flags word by word.

    >>> split_flags("--name 'a b' --top 3")
    ('--name', 'a b', '--top', '3')
    """
    return tuple(shlex.split(text))


def flag_names(words: tuple[str, ...]) -> list[str]:
    """Which flags there are among words, as the commands know them.

    >>> flag_names(("-o", "x.pt", "--batch_size=5", "--lr", "-1e-3"))
    ['--out', '--batch-size', '--lr']
    """
    names = [word.partition("=")[0].replace("_", "-") for word in words if re.match("--?[a-zA-Z]", word)]
    return ["--out" if name == "-o" else name for name in names]


def _value(hint: Any, value: Any, where: str, key: str) -> Any:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    bare = get_args(hint)[0] if marks else hint
    said = f"{where}: {key} = {_shown(value)}"
    if get_origin(bare) in (UnionType, Union):  # of what may be left out
        bare = get_args(bare)[0]
    if get_origin(bare) is Literal:
        if value not in get_args(bare):
            raise BadInput(f"{said}: expected one of {', '.join(map(repr, get_args(bare)))}")
        return value
    if get_origin(bare) is tuple:
        inner = get_args(bare)[0]
        if BY_NAME in marks:
            return _named(inner, value, where, key)
        if not isinstance(value, list):
            raise BadInput(f"{said}: expected {_expected(hint)}")
        return tuple(_value(inner, each, where, key) for each in value)
    if is_dataclass(bare):
        return build(bare, value, f"{where}: [{key}]")  # type: ignore[arg-type]
    if not _is(value, bare):
        raise BadInput(f"{said}: expected {_expected(hint)}")
    if isinstance(value, str):
        _check_text(value, said)
        if FLAGS in marks:
            _check_flags(value, said)
    return float(value) if bare is float else value


def _named(kind: Any, value: Any, where: str, key: str) -> tuple[Any, ...]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{where}: {key} = {_shown(value)}: expected tables, one a name, such as [{key}.some-name]")
    found = []
    for name, table in value.items():
        if not isinstance(table, Mapping):
            raise BadInput(f"{where}: [{key}] {name} = {_shown(table)}: expected a table [{key}.{name}]")
        if "name" in table:
            raise BadInput(f"{where}: [{key}.{name}]: its name stands in the brackets already. Leave the key name out")
        found.append(build(kind, {"name": name, **table}, f"{where}: [{key}.{name}]"))
    return tuple(found)


def _is(value: Any, kind: Any) -> bool:
    """A bool is no number here, and neither is what is not finite."""
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and abs(value) < 1e300 and math.isfinite(value)
    return isinstance(value, kind)


def _check_text(text: str, said: str) -> None:
    if not text.isprintable():
        raise BadInput(f"{said}: expected one line of text")


def _check_flags(text: str, said: str) -> None:
    try:
        words = split_flags(text)
    except ValueError as error:
        raise BadInput(f"{said}: expected flags as they are typed ({error})") from error
    if words and not words[0].startswith("-"):
        raise BadInput(f"{said}: expected flags such as --epochs 5, found {words[0]!r} first")
    for name in flag_names(words):
        if name in NEVER:
            raise BadInput(f"{said}: {name} is none of a study's flags: leave it out")


def _expected(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        bare, *marks = get_args(hint)
        if FLAGS in marks:
            return "flags in quotes, such as '--epochs 5'"
        return "tables, one a name" if BY_NAME in marks else _expected(bare)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return f"a list in [ ], each of it {_expected(inner)}"
    return WORDS.get(hint, "a table")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
