"""One mutant read in a fork of a process that has imported everything: limits, what it touched, and how it ended."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minima.store.hdf5.process import PROGRAM

HANG = 10.0
"""seconds of CPU time after which a reader counts as hanging"""
ROOM = 2**31
"""bytes that a reader may take beside what the process had"""
LONGEST, LINES = 1500, 10
"""letters and lines of a message"""
WATCHED = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn", "socket.connect")
CHANGING = ("shutil.rmtree", "os.remove", "os.rename", "os.mkdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Outcome:
    """How it ended: `read`, `refused`, or what must not be: `hang`, `signal`, `memory`, `code`, `internal`, `long`."""

    name: str
    detail: str = ""
    """the digest of what was read, the message, or where an error arose"""


def tried(work: Callable[[], object], own: Path | None = None) -> Outcome:
    """Do the work in a fork; `own`: the folder that it may write into."""
    receive, send = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.close(receive)
            os.setpgid(0, 0)  # no session: the system may give each one a share of the processor
            outcome = _limited(work, own)
            os.write(send, json.dumps([outcome.name, outcome.detail]).encode()[:60_000])
        finally:
            os._exit(0)
    os.close(send)
    try:
        return _awaited(child, receive)
    finally:
        os.close(receive)


def _awaited(child: int, receive: int) -> Outcome:
    said, began = b"", time.monotonic()
    while True:
        if select.select([receive], [], [], 0.1)[0]:
            piece = os.read(receive, 1 << 16)
            if not piece:
                break
            said += piece
        elif _cpu(child) > HANG or time.monotonic() - began > 30 * HANG:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Outcome("hang", f"{_cpu(child):.0f} s of CPU")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        return Outcome("signal", str(-status))
    return Outcome(*json.loads(said)) if said else Outcome("internal", "it ended without a word")


def _cpu(child: int) -> float:
    try:
        with open(f"/proc/{child}/stat") as file:
            facts = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def _limited(work: Callable[[], object], own: Path | None) -> Outcome:
    with open("/proc/self/statm") as file:
        there = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (there + ROOM, there + ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    touched: list[str] = []
    sys.addaudithook(lambda event, given: _watch(event, given, touched, own))
    outcome = _answered(work)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    if touched:
        return Outcome("code", f"{touched[:3]} and then {outcome}"[:500])
    return Outcome("memory", f"{grown >> 20} MiB, then {outcome}"[:500]) if grown > ROOM else outcome


def _watch(event: str, given: tuple[Any, ...], touched: list[str], own: Path | None) -> None:
    if own is not None and event in (*CHANGING, "open") and os.path.abspath(str(given[0])).startswith(str(own)):
        return
    if event == "subprocess.Popen" and PROGRAM in given[1]:
        return
    if event in WATCHED or event in CHANGING:
        touched.append(f"{event} {given[:1]}"[:100])
    if event == "open" and not isinstance(given[0], int) and not str(given[0]).startswith(("/dev/null", "/proc/")):
        mode, flags = given[1], given[2]
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (mode is None and flags & WRITING):
            touched.append(f"open {given[0]} {mode} {flags}"[:200])


def _answered(work: Callable[[], object]) -> Outcome:
    from minima.store.messages import BadInput

    try:
        return Outcome("read", hashlib.sha256(repr(work()).encode("utf8", "replace")).hexdigest())
    except BadInput as error:
        return _message(str(error))
    except MemoryError as error:
        return Outcome("memory", str(error)[:200])
    except BaseException as error:
        said = str(error)[:300]
        if "can't allocate memory" in said or "out of memory" in said:
            return Outcome("memory", said)
        return Outcome("internal", f"{type(error).__name__}: {said[:150]} @ {_where(error)}")


def _message(text: str) -> Outcome:
    fit = len(text) <= LONGEST and text.count("\n") < LINES and all(c.isprintable() or c == "\n" for c in text)
    return Outcome("refused" if fit else "long", ascii(text[:300]))


def _where(error: BaseException) -> str:
    """The innermost line of the suite that it came through."""
    import traceback

    lines = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    own = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in lines if "/faults/" not in frame.filename]
    return own[-1] if own else "?"
