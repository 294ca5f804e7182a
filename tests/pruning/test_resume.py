"""A run that is killed goes on, when the same line is typed again, to the same bytes."""

import random
import signal
import subprocess
import time
from pathlib import Path

from forks.python import python

from minima.store.reading import sha256

ROOT = Path(__file__).parents[2]
# save after every piece of training, so that there is something to go on from
EAGER = (
    "import runpy, sys; from minima.zoo.training import unfinished; "
    "unfinished.SECONDS_BETWEEN_SAVES = 0; sys.argv[0] = 'pruning'; "
    "runpy.run_module('pruning', run_name='__main__')"
)
WORDS = ["--sparsity", 0.5, 0.9, "--epochs", 40, "--frequency", 5, "--keep", 3]


def test_killed_at_random_moments(dense, tmp_path, prune):
    words = ["gmp", dense, *WORDS, "-o"]
    prune(*words, tmp_path / "whole-{sparsity}.pt")
    line = [python(), "-c", EAGER, *map(str, words), str(tmp_path / "killed-{sparsity}.pt")]
    chance, kills = random.Random(0), 0
    for _ in range(2):
        before = moments(tmp_path)
        process = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while process.poll() is None and moments(tmp_path) <= before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.4))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills
    prune(*words, tmp_path / "killed-{sparsity}.pt")
    for sparsity in (0.5, 0.9):
        assert sha256(tmp_path / f"killed-{sparsity}.pt") == sha256(tmp_path / f"whole-{sparsity}.pt")
    assert_same_trajectories(tmp_path)
    assert not list(tmp_path.glob(".killed*"))


def moments(folder):
    """When the run's unfinished state was saved."""
    return {part.stat().st_mtime_ns for part in folder.glob(".killed*.pt.*.part")}


def assert_same_trajectories(folder):
    import torch

    from minima.store.checkpoints.trajectory import load_step, read_steps

    whole, killed = (folder / f"{name}-0.9.trajectory.h5" for name in ("whole", "killed"))
    assert read_steps(killed) == read_steps(whole)
    for step in read_steps(whole):
        one, other = load_step(whole, step), load_step(killed, step)
        assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)
        assert all(torch.equal(one.masks[name], other.masks[name]) for name in one.masks)


def test_what_a_run_killed_at_its_very_end_left_is_removed(dense, tmp_path, prune, monkeypatch):
    words = ["magnitude", dense, "--sparsity", 0.5, "--epochs", 1, "-o", tmp_path / "x.pt"]
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # the part and its lock stay
        patched.setattr("minima.zoo.training.unfinished.SECONDS_BETWEEN_SAVES", 0)
        prune(*words)
    assert list(tmp_path.glob(".x*.part"))
    assert prune(*words)["reused"] is True
    assert not list(tmp_path.glob(".x*"))
