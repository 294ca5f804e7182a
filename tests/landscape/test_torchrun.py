"""Commands under torchrun: the numbers of one process, one report, and a clear end when a rank is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import tyro

from landscape.path.__main__ import main as walk
from landscape.path.flags import Path as Way
from minima.store.hdf5.results import summary
from minima.train import main as train
from minima.zoo.training.flags import Train

ALONE = [sys.executable, "-m"]
AT_WORK = 200_000
"""bytes of what is kept of a trace, so that products are made by both"""
TWO = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ranks") / "net.pt"
    run = [*ALONE, "minima.train", "--model", "mlp", "--data", "digits", "--epochs", "1", "-o", str(path)]
    subprocess.run(run, check=True, capture_output=True)
    return path


def numbers(file: Path) -> dict[str, np.ndarray]:
    with h5py.File(file) as opened:
        group = opened["hessian"]
        return {name: group[name][()] for name in group if group[name].dtype.kind == "f"}


def test_two_ranks_write_what_one_does(checkpoint: Path, tmp_path: Path) -> None:
    flags = [str(checkpoint), "--samples", "201", "--trace", "3", "--json"]
    for prefix, out in ((ALONE, "one.h5"), (TWO, "two.h5")):
        command = [*prefix, "landscape.hessian", *flags, "-o", str(tmp_path / out)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert done.stdout.count("eigenvalues") == 1
    one, two = numbers(tmp_path / "one.h5"), numbers(tmp_path / "two.h5")
    assert one.keys() == two.keys()
    for name in one.keys() - {"residuals"}:  # which are rounding
        np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-7, err_msg=name)
    assert summary(tmp_path / "two.h5")["checkpoints"][0]["samples"] == 201


def test_a_measurement_that_is_not_shared_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    command = [*TWO, "entropy.psp", str(checkpoint), "-o", str(tmp_path / "psp.h5")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.count("error: this command does not share its work over ranks") == 1
    assert not list(tmp_path.iterdir())


def second_rank(parent: int) -> int | None:
    """The process that torchrun `parent` started with RANK=1."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            child = f"\nPPid:\t{parent}\n" in (entry / "status").read_text()
            if child and b"\0RANK=1\0" in (entry / "environ").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    return None


def test_a_killed_rank_ends_it_with_a_word(checkpoint: Path, tmp_path: Path) -> None:
    target = tmp_path / "killed.h5"
    command = [*TWO, "landscape.hessian", str(checkpoint), "--trace", "1000000", "-o", str(target)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}) as run:
        until = time.monotonic() + 60
        while not any(part.stat().st_size > AT_WORK for part in tmp_path.glob(".*.part")) and time.monotonic() < until:
            time.sleep(0.1)
        victim = second_rank(run.pid)
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        said = run.communicate(timeout=60)[1]
    assert run.returncode != 0
    assert "another rank has stopped" in said or "terminated; what is finished is kept" in said
    assert not target.exists()


def test_two_ranks_draw_the_surface_of_one(checkpoint: Path, tmp_path: Path) -> None:
    """To a given error: the first rank decides what both evaluate."""
    flags = [str(checkpoint), "--samples", "201", "--grid", "21x11", "--error", "0.05", "--json"]
    for prefix, out in ((ALONE, "one.h5"), (TWO, "two.h5")):
        command = [*prefix, "landscape.surface", *flags, "-o", str(tmp_path / out)]
        subprocess.run(command, check=True, capture_output=True, timeout=100)
    with h5py.File(tmp_path / "one.h5") as one, h5py.File(tmp_path / "two.h5") as two:
        assert (one["surface/examples"][()] == two["surface/examples"][()]).all()
        assert (one["surface/examples"][()] < 201).any()
        np.testing.assert_allclose(two["surface/loss"][()], one["surface/loss"][()], rtol=1e-5)


def test_two_ranks_go_one_way_together(checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    train(Train(model="mlp", epochs=1, seed=1, out=str(other)))
    words = ["--kind", "bezier", "--align", "weights", "--epochs", "2", "--points", "5", "--samples", "201"]
    walk(tyro.cli(Way, args=[str(checkpoint), str(other), *words, "-o", str(tmp_path / "one.h5")]))
    command = [*TWO, "landscape.path", str(checkpoint), str(other), *words, "-o", str(tmp_path / "two.h5")]
    subprocess.run(command, check=True, capture_output=True)
    with h5py.File(tmp_path / "one.h5") as one, h5py.File(tmp_path / "two.h5") as two:
        assert np.array_equal(one["path/bend"][()], two["path/bend"][()])  # the first rank trains it
        np.testing.assert_array_equal(one["path/error"][()], two["path/error"][()])
        np.testing.assert_allclose(one["path/loss"][()], two["path/loss"][()], rtol=1e-6)
