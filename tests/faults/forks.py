"""What a study starts, as forks of processes that have imported everything: its engine, and its jobs.

The engine is a fork of the study. Between the engine and a job there is a shell, so that a stand-in (stand_in.c) is
started in the place of the job's Python, and has the fork server make the fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any, NoReturn

LENGTH, TOLD, STATUS = struct.Struct("<q"), struct.Struct("<ii"), struct.Struct("<i")
ENGINE = [b"-m", b"snakemake"]


class Jobs:
    """The stand-ins that wait for forks of this process."""

    def __init__(self, name: Path) -> None:
        self._door = socket.socket(socket.AF_UNIX)
        name.unlink(missing_ok=True)
        self._door.bind(str(name))
        self._door.listen()
        self._waiting: dict[int, socket.socket] = {}
        os.environ["FAULT_JOBS"] = str(name)

    def serve(self, group: int, seconds: float, listed: Path) -> None:
        """Begin and end jobs of this process group for some time."""
        if select.select([self._door], [], [], seconds)[0]:
            self._begin(self._door.accept()[0], group, listed)
        for pid, channel in list(self._waiting.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with contextlib.suppress(OSError):  # the stand-in was killed
                    channel.sendall(STATUS.pack(status))
                self._waiting.pop(pid).close()

    def end(self) -> None:
        """Reap those that the end of their group has killed."""
        for pid, channel in self._waiting.items():
            os.waitpid(pid, 0)
            channel.close()
        self._waiting.clear()

    def _begin(self, channel: socket.socket, group: int, listed: Path) -> None:
        head, streams, _, _ = socket.recv_fds(channel, LENGTH.size, 3)
        content = channel.makefile("rb").read(*LENGTH.unpack(head)) if len(head) == LENGTH.size else b""
        words, whole, environment = content.partition(b"\0\0")
        pid = os.fork() if whole else -1  # the stand-in may have been killed meanwhile
        if pid == 0:
            self._become(channel, group, listed, os.fsdecode(words), os.fsdecode(environment), streams)
        for stream in streams:
            os.close(stream)
        if pid > 0:
            with contextlib.suppress(OSError):  # so may its group
                os.setpgid(pid, group)
                channel.sendall(TOLD.pack(pid, os.getpid()))
            self._waiting[pid] = channel

    def _become(
        self, channel: socket.socket, group: int, listed: Path, words: str, environment: str, streams: list[int]
    ) -> NoReturn:
        try:
            os.setpgid(0, group)
            for each in (self._door, channel, *self._waiting.values()):
                each.close()
            cwd, _, module, *argv = words.split("\0")
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(each.split("=", 1) for each in environment.rstrip("\0").split("\0"))
            report_modules(listed)
            become(module, argv, streams, os.environ.get("FAULT_PLAN", ""))
        finally:
            os._exit(70)


def stand_in(compiled: str) -> None:
    """From here on the engine is a fork of this process, and the jobs are forks of the server."""
    from figures.study.engine import engine

    engine.PYTHON = f"env {compiled} -m"
    start = subprocess._fork_exec  # type: ignore[attr-defined]

    def started(*given: Any) -> int:
        if [os.fsencode(word) for word in given[0][1:3]] != ENGINE:
            return int(start(*given))
        pid = os.fork()
        if pid:
            return pid
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        inputs, outputs, errors = given[6], given[9], given[11]
        os.close(given[13])  # says that it has begun
        become("snakemake", [os.fsdecode(word) for word in given[0][3:]], [inputs, outputs, errors])

    subprocess._fork_exec = started  # type: ignore[attr-defined]


def report_modules(listed: Path) -> None:
    """This process and its forks name what they had to import when they have come to their ends."""
    known, leave = set(sys.modules), os._exit

    def left(status: int) -> NoReturn:
        if more := set(sys.modules) - known:
            with listed.open("a") as file:
                file.write(" ".join(more) + " ")
        leave(status)

    os._exit = left


def become(module: str, argv: list[str], streams: list[int], plan: str = "") -> NoReturn:
    """From here on this process is `python -m MODULE ARGV` with these streams, the fault armed last."""
    code = 70
    try:
        for number, stream in enumerate(streams):
            if stream >= 0:
                os.dup2(stream, number)
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
        sys.argv = [module, *argv]
        warnings.filterwarnings("ignore", message=".*found in sys.modules.*")
        if plan:
            os.environ["FAULT_PLAN"] = plan
            ctypes.CDLL(None).fault_arm(os.fsencode(plan))
        code = _status(module)
    except KeyboardInterrupt:  # before there was a command
        code = 130
    finally:
        os._exit(code)


def _status(module: str) -> int:
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:  # before the command has begun
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
