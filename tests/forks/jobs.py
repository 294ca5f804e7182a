"""Commands as forks of a process that has imported everything.

In the place of Python a stand-in (stand_in.c) is started, and has the process that has the door make the fork. So are
the jobs of a study, between whose engine and themselves there is a shell; the engine is a fork of the study.
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
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

LENGTH, TOLD, STATUS, PEER = struct.Struct("<q"), struct.Struct("<ii"), struct.Struct("<i"), struct.Struct("<iii")
ENGINE, STUDY = [b"-m", b"snakemake"], "figures.study"


class Jobs:
    """The stand-ins that wait for forks of this process.

    Args:
        name: of the door, a file.
        compiled: the stand-in, for the jobs of studies that are asked for at the door.
    """

    def __init__(self, name: Path, compiled: str = "") -> None:
        self._door, self._compiled = socket.socket(socket.AF_UNIX), compiled
        name.unlink(missing_ok=True)
        self._door.bind(str(name))
        self._door.listen()
        self._waiting: dict[int, socket.socket] = {}

    def serve(self, seconds: float, listed: Path) -> None:
        """Begin and end jobs for some time: in the process groups of their stand-ins, whose deaths are theirs."""
        ready = select.select([self._door, *self._waiting.values()], [], [], seconds)[0]
        for pid, channel in list(self._waiting.items()):
            if channel in ready:  # nothing more is said by a stand-in: it was killed
                _kill(pid)
            ended, status = os.waitpid(pid, os.WNOHANG if channel not in ready else 0)
            if ended:
                with contextlib.suppress(OSError):
                    channel.sendall(STATUS.pack(status))
                self._waiting.pop(pid).close()
        if self._door in ready:
            self._begin(self._door.accept()[0], listed)

    def end(self) -> None:
        """Reap those that the end of their group has killed."""
        for pid, channel in self._waiting.items():
            os.waitpid(pid, 0)
            channel.close()
        self._waiting.clear()

    def _begin(self, channel: socket.socket, listed: Path) -> None:
        asker, _, _ = PEER.unpack(channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        head, streams, _, _ = socket.recv_fds(channel, LENGTH.size, 3)
        (size,) = LENGTH.unpack(head) if len(head) == LENGTH.size else (0,)
        content = channel.makefile("rb").read(size)
        pid = os.fork() if 0 < size == len(content) else -1  # the stand-in may have been killed meanwhile
        if pid == 0:
            self._become(channel, asker, listed, map(os.fsdecode, content.split(b"\0")[:-1]), streams)
        for stream in streams:
            os.close(stream)
        if pid > 0:
            _join(pid, asker)
            with contextlib.suppress(OSError):
                channel.sendall(TOLD.pack(pid, os.getpid()))
            self._waiting[pid] = channel

    def _become(
        self, channel: socket.socket, asker: int, listed: Path, told: Iterable[str], streams: list[int]
    ) -> NoReturn:
        try:
            _join(0, asker)
            for each in (self._door, channel, *self._waiting.values()):
                each.close()
            count, *words = told
            (cwd, kind, module, *argv), environment = words[: int(count)], words[int(count) :]
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(each.split("=", 1) for each in environment)
            report_modules(listed)
            if module == STUDY and self._compiled:
                stand_in(self._compiled)
            become(module, argv, streams, os.environ.get("FAULT_PLAN", ""), kind)
        finally:
            os._exit(70)


def _join(pid: int, asker: int) -> None:
    """The process belongs to the asker's group, or to one of its own where that is of another session, or gone."""
    for group in (lambda: os.getpgid(asker), lambda: pid):
        with contextlib.suppress(OSError):
            os.setpgid(pid, group())
            return


def _kill(pid: int) -> None:
    """It, and its group if that is its own."""
    with contextlib.suppress(OSError):
        (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)


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


def become(module: str, argv: list[str], streams: list[int], plan: str = "", kind: str = "-m") -> NoReturn:
    """From here on this process is `python -m MODULE ARGV`, or `-c CODE`, with these streams, the fault armed last."""
    code = 70
    try:
        for number, stream in enumerate(streams):
            if stream >= 0:
                os.dup2(stream, number)
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
        sys.argv, sys.path[0] = [module if kind == "-m" else kind, *argv], os.getcwd()
        sys.path[1:1] = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each not in sys.path]
        warnings.filterwarnings("ignore", message=".*found in sys.modules.*")
        if plan:
            os.environ["FAULT_PLAN"] = plan
            ctypes.CDLL(None).fault_arm(os.fsencode(plan))
        code = _status(module, kind)
    except KeyboardInterrupt:  # before there was a command
        code = 130
    finally:
        os._exit(code)


def _status(module: str, kind: str) -> int:
    code = 0
    try:
        if kind == "-c":
            exec(compile(module, "<string>", "exec"), sys.modules["__main__"].__dict__)
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:  # before the command has begun
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
