"""What stands for Python in tests that type commands: one process imports torch, not each command."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@functools.cache
def python(*, foreign: bool = False) -> str:
    """A program that takes `-m MODULE ...` and `-c CODE ...` as Python does; Python where there is no compiler for it.

    Its processes have loaded what they need: what a command imports by itself is for other tests (test_doors.py).

    Args:
        foreign: what they have loaded is not of this project.
    """
    folder = Path(tempfile.mkdtemp(prefix="forks-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = compiled_stand_in(folder, folder / "door")
    if made is None:
        return sys.executable
    server = subprocess.Popen(
        [sys.executable, "-m", "forks.server", folder / "door", made, *["--foreign"] * foreign],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join((str(ROOT), str(HERE.parent)))},
    )
    assert server.stdin is not None
    assert server.stdout is not None
    atexit.register(server.stdin.close)
    assert server.stdout.readline() == "ready\n"
    return str(made)


def compiled_stand_in(folder: Path, door: Path) -> Path | None:
    """The stand-in that asks at this door, compiled into a folder."""
    return compile_c(HERE / "stand_in.c", folder / "stand_in", f'-DDOOR="{door}"')


def compile_c(source: Path, made: Path, *flags: str) -> Path | None:
    """What a C file is compiled to; None where there is no compiler."""
    compiler = shutil.which("cc")
    line = [compiler or "", "-O2", "-o", str(made), str(source), *flags]
    return made if compiler and not subprocess.run(line, capture_output=True, check=False).returncode else None
