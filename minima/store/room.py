"""How much memory a file may ask for beyond the bytes that it has: the flag --memory, which every reader keeps to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from minima.store.messages import BadInput

DEFAULT = 4.0
LEAST = 1.0
"""GiB that a file may unpack to whatever --memory says, which may be 0 for other purposes"""
_ALLOWED: ContextVar[float] = ContextVar("allowed", default=DEFAULT)


@contextmanager
def allowing(gibibytes: float) -> Iterator[None]:
    """Inside the block, what is compressed may unpack to so many GiB.

    >>> with allowing(2.0):
    ...     check_room(3 * 2**30, "x.npz")
    Traceback (most recent call last):
    minima.store.messages.BadInput: x.npz unpacks to 3.00 GiB, more than the 2 GiB of --memory.
    If you trust the file, type --memory 3
    """
    token = _ALLOWED.set(max(LEAST, gibibytes))
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def allowed() -> float:
    """How many GiB --memory grants to what is read here.

    >>> with allowing(2.5):
    ...     allowed()
    2.5
    """
    return _ALLOWED.get()


def check_room(size: int, what: str, does: str = "unpacks to") -> None:
    """Refuse what takes more than --memory: `size` bytes, of which no more than a fraction lie in the file.

    Raises:
        BadInput: with the amount to type.
    """
    allowed = _ALLOWED.get()
    if size <= allowed * 2**30:
        return
    asked = size / 2**30
    raise BadInput(
        f"{what} {does} {asked:,.2f} GiB, more than the {allowed:g} GiB of --memory.\n"
        f"If you trust the file, type --memory {math.ceil(asked)}"
    )
