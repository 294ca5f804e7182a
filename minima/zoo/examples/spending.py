"""How much work was spent on derivatives: counted where it is done, told by whoever asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Spent:
    """Examples that went forward and backward through a network, however often each."""

    examples = 0


_SPENT: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def spending() -> Iterator[Spent]:
    """Count what is spent inside the block.

    >>> with spending() as spent:
    ...     spend(32)
    ...     spend(32)
    >>> spent.examples
    64
    """
    spent = Spent()
    token = _SPENT.set(spent)
    try:
        yield spent
    finally:
        _SPENT.reset(token)


def spend(examples: int) -> None:
    """Count so many examples that went once forward and backward, or what takes as long: through the graph of a
    gradient.
    """
    spent = _SPENT.get()
    if spent is not None:
        spent.examples += examples
