"""Settings that a program hands over, looked at as a command line looks at its flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from numbers import Integral, Real
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from minima.store.messages import BadInput

T = TypeVar("T")
NUMBERS: dict[Any, tuple[type, str]] = {int: (Integral, "whole number"), float: (Real, "number")}
"""what fields of these types may hold, and how that is called"""


def made(kind: type[T], given: Mapping[str, Any], called: str) -> T:
    """A dataclass with these fields; BadInput for one that it does not have, or a word that is none of its choices.

    >>> from minima.zoo.training.recipe import Recipe
    >>> made(Recipe, {"lr": 0.5}, "recipe").lr
    0.5
    """
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise BadInput(f"{called} {name!r}: known are {', '.join(known)}")
    return chosen(kind(**given))


def chosen(settings: T) -> T:
    """The settings, once each field, in dataclasses inside as well, holds what a flag could: of a choice between words
    one of these, a whole number where it is one, a number where it is a number.

    >>> from pruning.methods.magnitude import OneShotMagnitude
    >>> chosen(OneShotMagnitude(scope="locally"))
    Traceback (most recent call last):
    minima.store.messages.BadInput: scope 'locally': known are 'global', 'layer', 'erk', 'lamp', 'given'
    >>> chosen(OneShotMagnitude)
    Traceback (most recent call last):
    minima.store.messages.BadInput: OneShotMagnitude is a class, expected one made of it: OneShotMagnitude(...)
    """
    if isinstance(settings, type):
        raise BadInput(f"{settings.__name__} is a class, expected one made of it: {settings.__name__}(...)")
    for name, hint in get_type_hints(type(settings)).items():
        value, choices = getattr(settings, name, None), _choices(hint)
        if is_dataclass(value) and not isinstance(value, type):
            chosen(value)
        elif choices and value not in choices:
            raise BadInput(f"{name} {value!r}: known are {', '.join(map(repr, choices))}")
        elif not _is_number(value, hint):
            raise BadInput(f"{name} {value!r}: expected {_called(hint)}")
    return settings


def _is_number(value: Any, hint: Any) -> bool:
    """Whether a value fits a field that holds a number; True for any other field."""
    kind = _without_none(hint)
    if value is None and kind is not hint:
        return True
    if _several(kind):
        return isinstance(value, Sequence) and all(_is_number(each, get_args(kind)[0]) for each in value)
    return kind not in NUMBERS or (isinstance(value, NUMBERS[kind][0]) and not isinstance(value, bool))


def _several(kind: Any) -> bool:
    """Whether it is a tuple of any number of numbers."""
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,) and get_args(kind)[0] in NUMBERS


def _called(hint: Any) -> str:
    """What a field of numbers holds, in words."""
    kind = _without_none(hint)
    return f"a tuple of {NUMBERS[get_args(kind)[0]][1]}s" if _several(kind) else f"a {NUMBERS[kind][1]}"


def _without_none(hint: Any) -> Any:
    """What a field holds where it is not absent."""
    parts = [each for each in get_args(hint) if each is not NoneType]
    return parts[0] if len(parts) == 1 and NoneType in get_args(hint) else hint


def _choices(hint: Any) -> tuple[Any, ...]:
    """What a field may hold, None among it where it may be absent; () where it is no choice."""
    kind = _without_none(hint)
    if get_origin(kind) is not Literal:
        return ()
    return get_args(kind) if kind is hint else (*get_args(kind), None)
