"""Ctrl-C and SIGTERM where they would do harm: inside a library that calls Python back and loses what that raises."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """What an error came of, if that was Ctrl-C or SIGTERM inside a library, which then raises an error of its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Inside the block both signals wait: until what it is given is called, and no longer than to its end.

    In threads other than the main one, where no signal is heard, nothing changes.
    """
    heard: list[int] = []

    def wait(number: int, _: FrameType | None) -> None:
        heard.append(number)

    try:
        before = {number: signal.signal(number, wait) for number in INTERRUPTIONS}
    except ValueError:
        yield lambda: None
        return

    def listen() -> None:
        if heard:
            _restore(before)
            os.kill(os.getpid(), heard.pop(0))

    try:
        yield listen
    finally:
        _restore(before)
    if heard:
        os.kill(os.getpid(), heard[0])


def _restore(
    before: dict[signal.Signals, signal.Handlers | Callable[[int, FrameType | None], object] | int | None],
) -> None:
    for number, handler in before.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
