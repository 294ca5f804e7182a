"""The command's side of the process that reads HDF5 files: started once, asked, and given up where it goes astray."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from minima.store.hdf5 import wire
from minima.store.messages import BadInput

PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from minima.store.hdf5.reader import main; main(int(sys.argv[1]))"
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""lest libraries that are not used make room for a thread of each core"""
PATIENCE = 30
"""seconds without a sign of life, not counting those in which it works"""


class Broken(Exception):
    """The file cannot be read, with why in words: the child has come to an end over it."""


class Refused(Broken):
    """Likewise, and the child is there for the next."""


class Process:
    """A child that holds no more than a socket of ours and the files it is given."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(1.0)
        paths = [str(Path(__file__).parents[3]), *sys.path]
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-S", "-I", "-c", PROGRAM, str(theirs.fileno()), *paths],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | THREADS,
            )

    @property
    def running(self) -> bool:
        """Whether it is the one that this process asks."""
        return self is _Current.process

    def ask(self, descriptor: int | None = None, **request: Any) -> None:
        """Send a request.

        Raises:
            Broken: the child has ended.
        """
        try:
            wire.send(self._channel, request, descriptor=descriptor)
        except OSError as error:
            raise Broken(self._end()) from error

    def answer(self, into: memoryview | None = None) -> dict[str, Any]:
        """The next message; the bytes behind it, if any, go `into` the beginning of this.

        Raises:
            Refused: with what the child found wrong.
            Broken: with how it ended.
        """
        length, size = wire.unpack_head(self._bytes(wire.HEAD.size))
        message: dict[str, Any] = json.loads(self._bytes(length))
        if size > (0 if into is None else into.nbytes):
            raise ValueError(f"{size} bytes that nobody asked for")
        if into is not None:
            self._fill(into[:size])
        if "error" in message:
            raise Refused(str(message["error"]))
        return message | {"size": size}

    def stop(self) -> None:
        """End the process that reads."""
        self._channel.close()
        with suppress(OSError):
            self._child.kill()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(1)

    def _bytes(self, size: int) -> bytes:
        content = bytearray(size)
        self._fill(memoryview(content))
        return bytes(content)

    def _fill(self, room: memoryview) -> None:
        waited = 0
        while room.nbytes:
            try:
                received = self._channel.recv_into(room)
            except TimeoutError as error:
                waited += self._stands_still()
                if waited >= PATIENCE:
                    raise Broken("nothing has come of it for too long") from error
                continue
            except ConnectionError:
                received = 0
            if not received:
                raise Broken(self._end())
            room, waited = room[received:], 0

    def _stands_still(self) -> bool:
        """Whether it neither computes nor waits for its turn or the disk; so it seems where no system tells."""
        try:
            state = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return True
        return state not in "RD"

    def _end(self) -> str:
        """How the child ended, in words."""
        status = self._child.wait()
        if status == -signal.SIGXCPU:
            return "reading it does not come to an end"
        if status < 0:
            return f"the HDF5 library breaks down on it ({signal.Signals(-status).name})"
        raise BadInput(
            f"the process that reads HDF5 files ended with status {status}. Does this work: python -c 'import h5py'"
        )


class _Current:
    """The process that is running, if one is."""

    lock = threading.RLock()
    process: Process | None = None


@contextmanager
def conversation() -> Iterator[Process]:
    """The process, all to oneself for some questions and their answers; one left in the middle of them is given up."""
    with _Current.lock:
        process = _Current.process
        if process is None:
            process = _Current.process = Process()
        try:
            yield process
        except Refused:
            raise
        except BaseException:
            _give_up()
            raise


@atexit.register
def _give_up() -> None:
    process, _Current.process = _Current.process, None
    if process is not None:
        process.stop()


def _forget() -> None:
    """A fork has a copy of its parent's, which is not for it to ask."""
    _Current.process, _Current.lock = None, threading.RLock()


os.register_at_fork(after_in_child=_forget)
