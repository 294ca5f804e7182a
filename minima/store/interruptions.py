"""Ctrl-C and SIGTERM where they would do harm: inside a library that calls Python back and loses what that raises."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


_heard: list[KeyboardInterrupt] = []
"""what `raised` has raised, newest last: a library may lose it on its way"""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which unwinds the program as Ctrl-C does, so that locks and unfinished files are put in order."""


@contextmanager
def raised() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise in the main thread while the block runs; elsewhere signals are not ours to handle.

    A signal that is ignored (`nohup`, a job in the background of a script) stays so. An error that came of a signal
    leaves the block as what the signal raised.
    """

    def stop(number: int, _: FrameType | None) -> NoReturn:
        _heard.append(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())
        raise _heard[-1]

    try:
        asked = [number for number in INTERRUPTIONS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, stop) for number in asked}
    except ValueError:
        yield
        return
    try:
        yield
    except Exception as error:
        if cause := interruption(error):
            raise cause from error
        raise
    finally:
        _heard.clear()
        _restore(before)


def interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """What an error came of, if that was Ctrl-C or SIGTERM inside a library, which then raises an error of its own.

    Some say what theirs came of; HDF5 does not: what goes wrong after a signal was heard is put down to it.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return _heard[-1] if error is None and _heard else error


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
