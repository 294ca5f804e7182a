"""Registries that find their members: a new method, model or measure is a new file and no edit elsewhere."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def members(package: str, base: type[T]) -> dict[str, type[T]]:
    """Every concrete frozen dataclass that a module of `package` defines and that derives from `base`.

    Keyed by its class variable `name`, sorted by it. A class that only others derive from is left out by having no
    `name` of its own, by being abstract, or by not being defined in the package.

    Raises:
        TypeError: two members have one name, or a member is no frozen dataclass: a mistake of who wrote it.

    >>> members("minima.store", BaseException)
    {}
    """
    found: dict[str, type[T]] = {}
    for candidate in _defined_in(package, base):
        name = candidate.__dict__.get("name")
        if not isinstance(name, str) or inspect.isabstract(candidate):
            continue
        if not (is_dataclass(candidate) and candidate.__dataclass_params__.frozen):  # type: ignore[attr-defined]
            raise TypeError(f"{_place(candidate)} must be a @dataclass(frozen=True): its fields become flags")
        if name in found:
            raise TypeError(f"{_place(found[name])} and {_place(candidate)} are both named {name!r}")
        found[name] = candidate
    return dict(sorted(found.items()))


def choices(known: Mapping[str, object], first: str) -> Any:
    """The type of a flag that names one of a registry's members: its help lists them, `first` before the others.

    >>> choices({"ant": int, "bee": int}, "bee")
    typing.Literal['bee', 'ant']
    """
    return Literal[(first, *(name for name in known if name != first))]


def _defined_in(package: str, base: type[T]) -> list[type[T]]:
    """The classes below `base` in the package's own modules; those a module merely imports do not count."""
    root = importlib.import_module(package)
    modules = [
        importlib.import_module(f"{package}.{info.name}")
        for info in pkgutil.iter_modules(root.__path__)
        if info.name != "__main__"
    ]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
    ]


def _place(member: type) -> str:
    return f"{member.__module__}.{member.__qualname__}"
