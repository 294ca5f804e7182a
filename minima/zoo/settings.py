"""Settings that a program hands over, looked at as a command line looks at its flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from minima.store.messages import BadInput

T = TypeVar("T")


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
    """The settings, once each field that is a choice between words, in dataclasses inside as well, holds one of these.

    >>> from pruning.methods.magnitude import OneShotMagnitude
    >>> chosen(OneShotMagnitude(scope="locally"))
    Traceback (most recent call last):
    minima.store.messages.BadInput: scope 'locally': known are 'global', 'layer', 'erk', 'lamp', 'given'
    """
    for name, hint in get_type_hints(type(settings)).items():
        value, choices = getattr(settings, name, None), _choices(hint)
        if is_dataclass(value) and not isinstance(value, type):
            chosen(value)
        elif choices and value not in choices:
            raise BadInput(f"{name} {value!r}: known are {', '.join(map(repr, choices))}")
    return settings


def _choices(hint: Any) -> tuple[Any, ...]:
    """What a field may hold, None among it where it may be absent; () where it is no choice."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    parts = [each for each in get_args(hint) if each is not NoneType]
    if len(parts) == 1 and get_origin(parts[0]) is Literal and NoneType in get_args(hint):
        return (*get_args(parts[0]), None)
    return ()
