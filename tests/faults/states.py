"""The states of a folder: before, in the middle of and after every operation of one run, each kept once.

What a crash leaves is the folder. So each different state is a trial: it is put there, and the line is typed again.
Two are one only where names, modes, dates and bytes are the same. That what is put there is what a crash leaves is
not assumed: `strangers` (strangers.py) compares.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import struct
import time
from pathlib import Path

HELD = struct.Struct("<q")
AT = 16
"""where `held` stands in the plan (shim.c)"""
KINDS = {1: "before", 2: "after", 3: "torn"}
"""moments of an operation, as the shim numbers them"""
STOPPED = "TtZX"
"""states of a process that does nothing"""
WAITS = "D"
"""the state of one that waits for its child to become another program, which a stopped child does not; and, for a
moment, of one that waits for the disk"""
SETTLED, PATIENCE = 1.0, 60.0
"""seconds after which what waits beside stopped processes waits for one of them, and a run that goes on is an error"""
Entry = tuple[str, int, int, str]
"""a path below the folder, its mode, its date in nanoseconds, and the SHA-256 of its bytes or what a link says"""


class States:
    """Kept in a folder: bytes by their hash, states by theirs, and which state each moment has."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._index = folder, folder / "moments.json"
        self.moments: dict[str, str] = json.loads(self._index.read_text()) if self._index.exists() else {}
        """by "before 17" and the like"""

    def keep(self, moment: str, of: Path) -> None:
        """What the folder holds at this moment."""
        content = json.dumps(entries(of, self.folder)).encode()
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / digest).write_bytes(content)
        self.moments[moment] = digest

    def save(self) -> None:
        """The run has come to its end."""
        self._index.write_text(json.dumps(self.moments))

    def of(self, moment: str) -> list[Entry]:
        """What the folder held."""
        return [tuple(entry) for entry in json.loads((self.folder / self.moments[moment]).read_text())]

    def restore(self, moment: str, folder: Path) -> None:
        """Put it there, dates and all, in the place of what is there."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        found = self.of(moment)
        for name, mode, _, what in found:
            path = folder / name
            if stat.S_ISDIR(mode):
                path.mkdir(exist_ok=True)
            elif stat.S_ISLNK(mode):
                path.symlink_to(what)
            else:
                shutil.copyfile(self.folder / what, path)
            if not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode))
        for name, _, date, _ in reversed(found):  # what a folder holds has its date before the folder
            os.utime(folder / name, ns=(date, date), follow_symlinks=False)


def entries(folder: Path, bytes_to: Path | None = None) -> list[Entry]:
    """What a folder holds, itself first, each folder before what is in it; the bytes are kept in `bytes_to`."""
    found = []
    for path in [folder, *sorted(folder.rglob("*"))]:
        told, what = path.lstat(), ""
        if stat.S_ISLNK(told.st_mode):
            what = str(path.readlink())
        elif stat.S_ISREG(told.st_mode):
            content = path.read_bytes()
            what = hashlib.sha256(content).hexdigest()
            if bytes_to is not None and not (bytes_to / what).exists():
                (bytes_to / what).write_bytes(content)
        found.append((str(path.relative_to(folder)), told.st_mode, told.st_mtime_ns, what))
    return found


class Recorder:
    """Stops a run and looks at its folder whenever the shim says that a moment has come."""

    def __init__(self, plan: Path, folder: Path, states: Path) -> None:
        self._plan, self._folder, self._states = plan.open("r+b", buffering=0), folder, States(states)

    def look(self, group: int) -> None:
        """Keep the state, if a moment has come, and let the run go on."""
        (held,) = HELD.unpack(os.pread(self._plan.fileno(), HELD.size, AT))
        if not held:
            return
        _stop(group)
        self._states.keep(f"{KINDS[held % 8]} {held // 8}", self._folder)
        os.pwrite(self._plan.fileno(), HELD.pack(0), AT)
        os.killpg(group, signal.SIGCONT)

    def end(self) -> None:
        """Save what was kept."""
        self._states.save()
        self._plan.close()


def _stop(group: int) -> None:
    """All processes of the group, however often somebody else lets them go on."""
    since, states = time.monotonic(), _processes(group)
    while not all(each in STOPPED for each in states):
        waited = time.monotonic() - since
        if waited > SETTLED and all(each in STOPPED + WAITS for each in states):
            return
        if waited > PATIENCE:
            raise TimeoutError(f"the processes of group {group} cannot be stopped: their states are {states}")
        os.killpg(group, signal.SIGSTOP)
        time.sleep(0.0005)
        states = _processes(group)


def _processes(group: int) -> list[str]:
    """The states of the group's processes."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, belongs = entry.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # gone meanwhile
            continue
        if int(belongs) == group:
            found.append(state)
    return found
