"""What a command is given to write to and where it is started: closed, full, gone, or speaking another alphabet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = """
from dataclasses import dataclass
from pathlib import Path
from minima.store.command import Command, Report, run
from minima.store.files import write_atomically
from minima.store.messages import note

@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    "A command that says ± of a file."
    out: Path

def main(flags):
    note("half way \\x1b[2J\\u00b1")
    write_atomically(flags.out, b"whole")
    note("whole")
    return Report({"value": 1, "name": "\\x1b]0;owned\\x07"}, "1 \\u00b1 0 \\x1b[31m")

run(Flags, main, prog="x")
"""


def started(shell: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`shell`: a line in which $X stands for the command."""
    (folder / "x.py").write_text(COMMAND)
    known = {**os.environ, "PYTHONPATH": str(ROOT), "X": f"{sys.executable} {folder}/x.py", **environment}
    how: dict[str, Any] = {"cwd": folder, "env": known, "capture_output": True, "text": True}
    return subprocess.run(["bash", "-c", shell], check=False, **how)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", ">&- --json"])
def test_the_work_is_done_though_nobody_hears_of_it(closed: str, tmp_path: Path) -> None:
    done = started(f"$X --out t {closed}", tmp_path)
    assert (done.returncode, (tmp_path / "t").read_bytes()) == (0, b"whole")
    assert "half way" not in done.stdout  # notes do not stray to stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("reader", ["| true", ">/dev/full"])
def test_a_report_that_nobody_takes_is_no_success(reader: str, tmp_path: Path) -> None:
    done = started(f"set -o pipefail; $X --out t {reader}", tmp_path)
    assert (done.returncode, (tmp_path / "t").read_bytes()) == (1, b"whole")
    assert "Traceback" not in done.stderr
    _, _, trouble = done.stderr.partition("error: ")  # behind what the work itself has to say
    assert len(trouble.splitlines()) <= 2


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_letters_that_a_terminal_lacks_or_acts_on_are_numbers(locale: str, tmp_path: Path) -> None:
    utf8 = {"C": "0", "C.UTF-8": "1"}[locale]
    done = started("$X --out t", tmp_path, LC_ALL=locale, PYTHONUTF8=utf8, PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stdout.startswith("1 ± 0" if utf8 == "1" else r"1 \xb1 0")
    assert r"\x1b[31m" in done.stdout


def test_without_a_home_and_a_folder_for_temporary_files(tmp_path: Path) -> None:
    done = started("unset HOME; TMPDIR=/nonexistent $X --out t", tmp_path)
    assert (done.returncode, done.stdout[:1]) == (0, "1")


def test_a_working_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    done = started("mkdir gone; cd gone; rmdir ../gone; $X --out /nonexistent/t", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: the folder that you are in has been removed. Type: cd, to go to one that is there\n"


SLOW = """
import time
from minima.store import messages
messages.SECONDS_BETWEEN_LINES = 0.0
with messages.progress_bar(total=3, unit="product", desc="net\\x1b.pt") as shown:
    time.sleep(2.5)
"""


def test_progress_is_told_while_nothing_is_completed() -> None:
    done = subprocess.run([sys.executable, "-c", SLOW], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "net\\x1b.pt: product 0 of 3 after 00:0" in done.stderr
