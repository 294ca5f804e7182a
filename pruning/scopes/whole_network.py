"""All tensors compete with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class WholeNetwork:
    """One pool."""

    def pools(
        self,
        sizes: Mapping[str, int],
        alive: Mapping[str, int],  # noqa: ARG002  of no account here: one pool can always be cut to any size
        kept: int,
    ) -> list[tuple[tuple[str, ...], int]]:
        """
        >>> WholeNetwork().pools({"a": 10, "b": 30}, {"a": 10, "b": 30}, 20)
        [(('a', 'b'), 20)]
        """
        return [(tuple(sizes), kept)]
