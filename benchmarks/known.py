"""Names that a benchmark is told, which must be among those that it knows."""

from __future__ import annotations

from collections.abc import Iterable

from minima.store.command import BadInput


def check(flag: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise BadInput with the first that is none, and all that are.

    >>> check("--networks", ["mlp"], ["mlp", "vit"])
    """
    there_are = list(known)
    for name in names:
        if name not in there_are:
            raise BadInput(f"{flag} {name!r}: there is no such name here; there are {', '.join(map(repr, there_are))}")
