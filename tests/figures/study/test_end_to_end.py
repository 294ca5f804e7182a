"""The whole study `tiny`, killed on the way: every command of the contract, every figure."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from forks.python import python

ROOT = Path(__file__).parents[3]
FIGURES = [
    "1-error-against-compression",
    "2-path-between-solutions",
    "3-hessian-spectrum",
    "4-entropy-by-layer",
    "5-loss-surfaces",
    "6-sharpness-against-error",
    "7-claims-table",
    "8-neuron-class-map",
    "9-pair-entropy",
    "10-entropy-by-depth",
    "11-entropy-against-sparsity",
    "12-entropy-over-training",
    "13-matched-loss",
]


def start(folder):
    command = [python(), "-m", "figures.study", "tiny", "--cores", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def products(folder):
    """Every finished file with the inode of its content: a file that is made again gets another.

    Moments that wait for their trajectory are in hidden folders, and gone when it is whole.
    """
    found = [path for kind in ("runs", "out", "fig") for path in (folder / kind).rglob("*") if path.is_file()]
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return {path: path.stat().st_ino for path in shown if path.suffix in (".pt", ".h5", ".svg", ".png")}


@pytest.mark.slow
def test_killed_and_repeated_to_the_end(tmp_path):
    chance = random.Random(0)
    made: dict[Path, int] = {}
    for _ in range(2):
        process = start(tmp_path)
        goal = len(products(tmp_path)) + 3
        while len(products(tmp_path)) < goal and process.poll() is None:
            time.sleep(0.1)
        time.sleep(chance.uniform(0, 3))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = products(tmp_path)
        assert {path: now.get(path) for path in made} == made, "finished work was redone"
        made = now
    process = start(tmp_path)
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said.decode()
    now = products(tmp_path)
    assert {path: now.get(path) for path in made} == made, "finished work was redone"
    drawn = tmp_path / "fig" / "tiny"
    assert all((drawn / f"{name}{ending}").stat().st_size for name in FIGURES for ending in (".svg", ".png"))
    assert len({(drawn / f"{name}.svg").read_bytes() for name in FIGURES}) == len(FIGURES)
    if find_spec("plotly"):
        page = (drawn / "page.html").read_text()
        assert all(f'<section id="{name}"' in page for name in ("sharpness", "spectrum", "surface", "path", "entropy"))
    claims = (drawn / "claims.md").read_text()
    assert "not yet measured" not in claims
    assert "| LOBSTER (from the parent) | 97 % | as left by the method | 1 |" in claims.partition("linear probe")[2]
    assert not list(tmp_path.glob("**/*.part"))

    said, _ = start(tmp_path).communicate(timeout=120)
    assert b"nothing to do" in said
    assert products(tmp_path) == now
