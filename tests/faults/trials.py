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
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from forks.python import compile_c, compiled_stand_in

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLAN = struct.Struct("<qqqiiii4096s")
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
    "hold": (8, 0),
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
    keeps: tuple[str, ...] = ()
    """of them, those that stay the same file once they are there"""
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
    return compile_c(HERE / "shim.c", folder / "shim.so", "-shared", "-fPIC", "-ldl")


class Server:
    """The fork server with the shim in it; what is to survive a trial lies in `folder`."""

    def __init__(self, folder: Path, shim: Path) -> None:
        self.folder, self.processor = folder, 0.0
        """where; seconds that all trials so far have taken of it"""
        (folder / "streams").mkdir(exist_ok=True)
        environment = os.environ | {"LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(HERE.parent)))
        self._stand_in = compiled_stand_in(shim.parent, folder / "jobs")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.server", str(folder / "jobs")],
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
        states: Path | None = None,
    ) -> Ended:
        """The command in a folder, with a fault at its operation of this number, or a signal after some seconds.

        Args:
            states: where those of its folder are kept (`mode`: hold).
        """
        plan = self.folder / "plan"
        log = plan.with_name("plan.log")
        log.unlink(missing_ok=True)
        if mode is not None:
            code, error = MODES[mode]
            wanted = PLAN.pack(
                0, number, 0, code, error, signal.SIGTERM, int(mode in ("log", "hold")), os.fsencode(cwd)
            )
            plan.write_bytes(wanted)
        after, which = signalled or (None, 0)
        out, err, modules = (str(self.folder / "streams" / name) for name in ("out", "err", "modules"))
        asked = {"module": command.module, "argv": command.argv, "cwd": str(cwd), "out": out, "err": err}
        asked["limit"] = SECONDS * (OTHERS if command.starts_others else 1)
        asked |= {"modules": modules, "plan": str(plan) if mode else "", "signal_after": after, "signal": which}
        asked |= {"stand_in": str(self._stand_in) if command.starts_others else "", "states": str(states or "")}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        ended = self._read()
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        operations = [(line.split("\t")[1], line.split("\t")[3]) for line in lines]
        self.processor += ended["processor"]
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
    told = replace(command, makes=command.keeps) if command.starts_others and first.status == 1 else command
    trouble = _of_ending(command, first, mode, folder) + [
        f"then {each}" for each in differing(told, whole, folder, missing=False)
    ]
    if first.status == 0:
        trouble += [f"it said nothing, but {each}" for each in differing(command, whole, folder)]
    more, took = again(server, command, whole, folder)
    return trouble + more, took


def after_a_kill(server: Server, command: Command, whole: Path, folder: Path) -> tuple[list[str], int]:
    """What is not as promised in what a kill has left, and when the line is typed again; its number of operations."""
    trouble = [f"then {each}" for each in differing(command, whole, folder, missing=False)]
    more, took = again(server, command, whole, folder)
    return trouble + more, took


def again(server: Server, command: Command, whole: Path, folder: Path) -> tuple[list[str], int]:
    """What is not as promised when the line is typed again after whatever happened, and its number of operations."""
    finished = all((folder / name).exists() for name in command.makes)
    kept = _files(command, folder)
    second = server.run(command, folder, "log")
    took = len(second.operations)
    if second.status != 0:
        return [f"typed again, it ended with {second.status}: {second.said[-400:]}"], took
    trouble = [f"typed again, {each}" for each in differing(command, whole, folder)]
    if finished and command.reuses not in second.said:
        trouble.append(f"what was finished was computed again: {second.said[-200:]}")
    now = _files(command, folder)
    trouble += [f"{name} was made again" for name in kept if kept[name] != now.get(name)]
    left = sorted(name for path in folder.rglob(".*") if ENGINES not in (name := str(path.relative_to(folder))))
    return trouble + ([f"left over: {left}"] if left else []), took


def _files(command: Command, folder: Path) -> dict[str, int]:
    """What is to stay the same file, as far as it is there, by its number on the disk: dates are the engine's."""
    return {name: (folder / name).stat().st_ino for name in command.keeps if (folder / name).exists()}


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


def _of_ending(command: Command, ended: Ended, mode: str, folder: Path) -> list[str]:
    """What is wrong with how a command ended under a fault."""
    others = command.starts_others and mode != "short"
    trouble = [] if ended.status in STATUSES[mode] + (1,) * others else [f"it ended with {ended.status}"]
    texts = [path.read_text(errors="replace") for path in _logs_of_jobs(folder)]
    for said in (ended.said, *texts):
        if "Traceback" in said or "not a message you should see" in said or "HDF5" in said:
            trouble.append("an error in nobody's words")
    for said in texts if command.starts_others else [ended.said] * (ended.status == 1):
        error = said.partition("error: ")[2].partition("\nprocessor seconds")[0]
        if len(error.strip().splitlines()) > 3:
            trouble.append(f"more than three lines: {error}")
    return trouble + [ended.said[-300:]] * bool(trouble)


def _logs_of_jobs(folder: Path) -> list[Path]:
    """What the commands of a study say; the engine's own log is another."""
    return [path for path in folder.glob("out/logs/*.log") if not path.name.endswith("snakemake.log")]
