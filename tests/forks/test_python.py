"""The stand-in for Python behaves as Python: what is printed, how it ends, where it looks, what kills it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forks.python import ROOT, python

OWN = """
import os, sys, time
print(sys.argv[1:], os.getcwd(), os.environ.get("SAID"), __name__)
print(sys.stdin.read(), file=sys.stderr)
if "wait" in sys.argv:
    while True:
        open("alive", "a").write(".")
        time.sleep(0.01)
sys.exit({"words": "in words", "number": 3}.get(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


@pytest.mark.parametrize("kind", ["-m", "-c"])
@pytest.mark.parametrize("word", ["nothing", "words", "number"])
def test_streams_words_folder_environment_and_status(folder: Path, word: str, kind: str) -> None:
    def end(program: str) -> tuple[int, str, str]:
        environment = os.environ | {"SAID": "x=y", "PYTHONPATH": str(ROOT)}
        line = [program, *(["-m", "own"] if kind == "-m" else ["-c", OWN]), word, "a b", ""]
        done = subprocess.run(
            line, cwd=folder, env=environment, input="given", capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    assert end(python()) == end(sys.executable)


def test_a_command_that_fails(folder: Path) -> None:
    def end(program: str) -> tuple[int, str]:
        line = [program, "-m", "minima.checkpoint", "nowhere.pt"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    assert end(python()) == end(sys.executable)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_ends_it(folder: Path, number: int) -> None:
    process = subprocess.Popen([python(), "-m", "own", "wait"], cwd=folder, stdin=subprocess.DEVNULL)
    while not (folder / "alive").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait() == -number
    time.sleep(0.2)
    written = (folder / "alive").stat().st_size
    time.sleep(0.2)
    assert (folder / "alive").stat().st_size == written
