"""Commands as a user types them, in a process of their own."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from forks.python import python

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def command():
    """command("landscape.sharpness", "x.pt", cwd=...) -> the JSON object; with fails=True the message on stderr."""

    def call(module, *words, cwd=None, fails=False):
        line = [python(), "-m", module, *map(str, words), "--json"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(line, capture_output=True, text=True, cwd=cwd, env=environment, check=False)
        if fails:
            assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
            assert len(done.stderr.strip().splitlines()) <= 6
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="session")
def trained(tmp_path_factory, command):
    """A folder with a small trained network and two pruned ones, all from the command line."""
    folder = tmp_path_factory.mktemp("runs")
    command("minima.train", "--model", "mlp:hidden=16x8", "--epochs", 6, "-o", folder / "net.pt")
    for method in ("magnitude", "gmp"):
        words = [folder / "net.pt", "--sparsity", 0.8, "--epochs", 3, "-o", folder / f"net.{method}-0.8.pt"]
        command("pruning", method, *words)
    return folder
