"""A package's public names, each imported from where it is defined when it is first asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def door(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package (PEP 562) that hands on names of its rooms.

    A package so imports nothing by itself: `python -m landscape.sharpness --help` answers without torch, and still
    `from landscape import measure_sharpness` works.

    Args:
        package: its name.
        homes: public name -> the module that defines it.

    Returns:
        the two functions; what was asked for once is found in the package without them.

    >>> ask, names = door("minima.store", {"derive": "minima.zoo.seeds"})
    >>> ask("derive").__module__, "derive" in names()
    ('minima.zoo.seeds', True)
    """

    def ask(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}. It has: {', '.join(sorted(homes))}")
        found = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return ask, names
