"""Signals wait where they would do harm, and are heard all the same."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
from collections.abc import Iterator

import h5py
import numpy as np
import pytest

from minima.store.hdf5.memory import in_memory
from minima.store.interruptions import Terminated, deferred, interruption, raised


class Interrupted(Exception):
    """What the handler of this test raises."""


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("listens", [False, True])
def test_a_signal_waits_until_it_is_listened_to_or_the_end(number: signal.Signals, listens: bool) -> None:
    done = []

    def work() -> None:
        with deferred() as listen:
            os.kill(os.getpid(), number)
            done.append("in the block")
            if listens:
                listen()
            done.append("to its end")

    before = signal.getsignal(number)
    with pytest.raises(Interrupted):
        work()
    assert done == (["in the block"] if listens else ["in the block", "to its end"])
    assert signal.getsignal(number) is before


def test_without_a_signal_or_in_another_thread_nothing_happens() -> None:
    def work() -> None:
        with deferred() as listen:
            listen()
            done.append(True)

    done: list[bool] = []
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    work()
    assert done == [True, True]
    assert signal.getsignal(signal.SIGTERM) is before


class Interrupting(io.BytesIO):
    """A file object in whose callbacks a signal arrives."""

    def write(self, content: object) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return super().write(content)  # type: ignore[arg-type]


def fill(file: h5py.File) -> None:
    with file:
        for index in range(20):
            file.create_dataset(f"a{index}", data=np.zeros(1000))


def test_what_hdf5_calls_back_is_not_interrupted() -> None:
    """The reason: without it the library loses what is raised, and ends in internals."""
    with pytest.raises(Interrupted), deferred():
        fill(h5py.File(Interrupting(), "w"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_library_makes_of_a_signal_is_still_a_stop(number: signal.Signals) -> None:
    """HDF5 forgets what was raised in its callbacks and raises an error of its own, of which the cause is unknown."""

    def lost() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        raise TypeError("operation not defined for data type class")

    with pytest.raises(KeyboardInterrupt) as caught, raised():
        lost()
    assert isinstance(caught.value, Terminated) == (number == signal.SIGTERM)
    error = TypeError("of no signal")
    assert interruption(error) is None
    with pytest.raises(TypeError), raised():
        raise error


def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with raised():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_file_in_memory_is_gone_on_with_from_its_bytes() -> None:
    file = in_memory()
    file["a"] = np.arange(3)
    file.flush()
    copy = in_memory(file.id.get_file_image())
    copy["b"] = 1
    assert list(copy) == ["a", "b"]
    assert list(file) == ["a"]
