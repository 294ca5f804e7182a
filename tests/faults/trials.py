"""One command under one fault: what a harness plans, what came of it, and whether that is as promised."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLAN = struct.Struct("<qqiiii4096s")
"""as `struct plan` in shim.c"""
MODES = {
    "log": (0, 0),
    "before": (1, 0),
    "after": (2, 0),
    "torn": (3, 0),
    "short": (4, 0),
    "EIO": (5, errno.EIO),
    "ENOSPC": (6, errno.ENOSPC),
    "EDQUOT": (6, errno.EDQUOT),
    "TERM": (7, 0),
}
"""what happens at an operation, as the shim knows it, and the system's error: the process group is killed before, after
or in the middle of it; it does a part only; it fails once; all that needs room fails from there on; SIGTERM comes"""
CRASHES, FAILURES = ("before", "after", "torn"), ("EIO", "ENOSPC", "EDQUOT")
STATUSES = {**dict.fromkeys(CRASHES, (-9, 0)), **dict.fromkeys(FAILURES, (0, 1)), "TERM": (0, 143), "short": (0,)}
"""how a command may end by what happened to it"""
ENGINES = ".snakemake"
"""what lies there is Snakemake's own"""
SECONDS, OTHERS = 300, 6
"""after which a command counts as hanging, and times as long for one that starts others"""
TAKES_ROOM = ("write", "open", "mkdir", "truncate", "allocate")


@dataclass(frozen=True)
class Command:
    """A command line of the suite and the files that it makes."""

    module: str
    argv: tuple[str, ...]
    makes: tuple[str, ...]
    reuses: str = ""
    """what it says when it finds them finished; "" for what does not say"""
    starts_others: bool = False
    """whether other processes do the work, one of which the fault hits"""
    repeats: float = float("inf")
    """operations that may be done twice: those of a beginning, of one part of the work, of putting parts together"""


@dataclass(frozen=True)
class Ended:
    """How a trial ended."""

    status: int | None
    """negative: the number of the signal that ended it; None: it did not end in time"""
    said: str
    """on stderr"""
    seconds: float
    operations: list[tuple[str, str]] = field(default_factory=list)
    """what was done below the folder, and to which file"""


def compiled(folder: Path) -> Path | None:
    """The shim, compiled into a folder; None where there is no compiler."""
    compiler, made = shutil.which("cc"), folder / "shim.so"
    if compiler is None:
        return None
    line = [compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(HERE / "shim.c"), "-ldl"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return made if done.returncode == 0 else None


class Server:
    """The fork server with the shim in it; what is to survive a trial lies in `folder`."""

    def __init__(self, folder: Path, shim: Path) -> None:
        self.folder = folder
        (folder / "streams").mkdir(exist_ok=True)
        environment = os.environ | {"LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT)
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._read() == "ready"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def run(
        self,
        command: Command,
        cwd: Path,
        mode: str | None = None,
        number: int = -1,
        signalled: tuple[float, int] | None = None,
    ) -> Ended:
        """The command in a folder, with a fault at its operation of this number, or a signal after some seconds."""
        plan = self.folder / "plan"
        log = plan.with_name("plan.log")
        log.unlink(missing_ok=True)
        if mode is not None:
            code, error = MODES[mode]
            wanted = PLAN.pack(0, number, code, error, signal.SIGTERM, int(mode == "log"), os.fsencode(cwd))
            plan.write_bytes(wanted)
        after, which = signalled or (None, 0)
        out, err, modules = (str(self.folder / "streams" / name) for name in ("out", "err", "modules"))
        asked = {"module": command.module, "argv": command.argv, "cwd": str(cwd), "out": out, "err": err}
        asked["limit"] = SECONDS * (OTHERS if command.starts_others else 1)
        asked |= {"modules": modules, "plan": str(plan) if mode else "", "signal_after": after, "signal": which}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        ended = self._read()
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        operations = [(line.split("\t")[1], line.split("\t")[3]) for line in lines]
        return Ended(ended["status"], Path(err).read_text(errors="replace"), ended["seconds"], operations)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def trial(server: Server, command: Command, whole: Path, folder: Path, mode: str, number: int) -> tuple[list[str], int]:
    """What is not as promised when this operation goes wrong and the line is typed again; [] if all is.

    And the number of operations that it then took.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    first = server.run(command, folder, mode, number)
    trouble = _of_ending(command, first, mode) + [
        f"then {each}" for each in differing(command, whole, folder, missing=False)
    ]
    if first.status == 0:
        trouble += [f"it said nothing, but {each}" for each in differing(command, whole, folder)]
    more, took = again(server, command, whole, folder)
    return trouble + more, took


def again(server: Server, command: Command, whole: Path, folder: Path) -> tuple[list[str], int]:
    """What is not as promised when the line is typed again after whatever happened, and its number of operations."""
    finished = all((folder / name).exists() for name in command.makes)
    second = server.run(command, folder, "log")
    took = len(second.operations)
    if second.status != 0:
        return [f"typed again, it ended with {second.status}: {second.said[-400:]}"], took
    trouble = [f"typed again, {each}" for each in differing(command, whole, folder)]
    if finished and command.reuses not in second.said:
        trouble.append(f"what was finished was computed again: {second.said[-200:]}")
    left = sorted(name for path in folder.rglob(".*") if ENGINES not in (name := str(path.relative_to(folder))))
    return trouble + ([f"left over: {left}"] if left else []), took


def differing(command: Command, whole: Path, folder: Path, *, missing: bool = True) -> list[str]:
    """The files that are not those of an undisturbed run; those that are not there count if `missing`."""
    from minima.store.hdf5.results import differences

    found = []
    for name in command.makes:
        one, other = whole / name, folder / name
        if not other.exists():
            found += [f"{name} is not there"] if missing else []
        elif name.endswith(".h5"):
            try:
                found += (
                    [f"{name} differs in {', '.join(differences(one, other)[:3])}"] if differences(one, other) else []
                )
            except Exception as error:
                found.append(f"{name} cannot be read: {error}")
        elif one.read_bytes() != other.read_bytes():
            found.append(f"{name} differs")
    return found


def _of_ending(command: Command, ended: Ended, mode: str) -> list[str]:
    """What is wrong with how a command ended under a fault."""
    said, wanted = ended.said, STATUSES[mode] + ((1,) if command.starts_others else ())
    trouble = [] if ended.status in wanted else [f"it ended with {ended.status}: {said[-300:]}"]
    if "Traceback" in said or "not a message you should see" in said or "HDF5" in said:
        trouble.append(f"an error in nobody's words: {said[-300:]}")
    if (
        ended.status == 1
        and not command.starts_others
        and (error := said.partition("error: ")[2])
        and len(error.strip().splitlines()) > 3
    ):
        trouble.append(f"more than three lines: {error}")
    return trouble
