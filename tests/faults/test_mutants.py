"""No mutant of any format ends in anything but words, or in what was written; and what must not be would be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COUNT, SECONDS, FORMATS = 700, 35, 23
"""mutants, of which a busy machine makes as many as there is time for"""
SEEN = """
import os, subprocess, sys, time
from pathlib import Path
from minima.store.messages import BadInput
from tests.faults import mutants_trial as trial

def refused(): raise BadInput("x.pt: no")
def long(): raise BadInput("x\\n" * 90)
def internal(): raise KeyError("x")
def signal(): os.kill(os.getpid(), 11)
def memory(): return len(bytearray(3 << 30))
def code(): return open(sys.argv[1] + "/written", "w")
def hang():
    while True: pass
def read(): return 3

trial.HANG = 0.5
for work in (refused, long, internal, signal, memory, code, hang, read):
    print(work.__name__, trial.tried(work).name)
own = Path(sys.argv[1]) / "own"
print("read", trial.tried(lambda: own.write_text("x"), own).name)
"""


def python(*words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which forks: this one may have threads."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_what_must_not_be_would_be_seen(tmp_path: Path) -> None:
    done = python("-c", SEEN, str(tmp_path))
    assert done.returncode == 0, done.stderr
    pairs = [line.split() for line in done.stdout.splitlines()]
    assert [name for name, _ in pairs] == [outcome for _, outcome in pairs]
    assert len(pairs) == 9


def test_no_mutant_ends_in_anything_but_words(tmp_path: Path) -> None:
    line = ("-m", "tests.faults.mutants", "--no-commands", "--state", str(tmp_path))
    done = python(*line, "--seconds", str(SECONDS), "--count", str(COUNT))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(each) for each in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len({row["format"] for row in rows}) == FORMATS
    again = python(*line, "--count", str(len(rows)), "--formats", rows[0]["format"])
    assert f"{len(rows)} mutants, 0 that must not be" in again.stdout
