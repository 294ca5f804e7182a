"""Commands in one process make what they make each in its own, and the first that fails ends the chain."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from forks.python import python

ROOT = Path(__file__).parents[3]
TRAIN = "minima.train --model mlp:hidden=8 --epochs 1 --seed"


def chain(folder, *words):
    line = [python(), "-m", "figures.study.engine.chain", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A network and its pruned child, out of one process."""
    folder = tmp_path_factory.mktemp("chain")
    prune = "pruning magnitude a.pt --sparsity 0.5 --each --epochs 1 -o 'a-{sparsity}.pt'"
    done = chain(folder, f"{TRAIN} 1 -o a.pt", prune, "entropy.psp a.pt a-0.5.pt -o both.h5")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_same_bytes_as_one_by_one(made, tmp_path):
    assert (made / "both.h5").exists()
    alone = chain(tmp_path, f"{TRAIN} 1 -o a.pt")
    assert alone.returncode == 0, alone.stderr
    line = [
        sys.executable,
        "-m",
        "pruning",
        "magnitude",
        "a.pt",
        "--sparsity",
        "0.5",
        "--epochs",
        "1",
        "-o",
        "a-0.5.pt",
    ]
    subprocess.run(line, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    for name in ("a.pt", "a-0.5.pt"):
        assert (made / name).read_bytes() == (tmp_path / name).read_bytes()


def test_the_first_that_fails_ends_it_and_overwrite_reaches_all(made):
    lines = [f"{TRAIN} 2 -o a.pt", f"{TRAIN} 3 -o late.pt"]
    refused = chain(made, *lines)
    assert refused.returncode == 1
    assert "--overwrite" in refused.stderr
    assert not (made / "late.pt").exists()
    assert chain(made, "--overwrite", *lines).returncode == 0
    assert (made / "late.pt").exists()
