"""`python -m minima.train`: same seed, same bytes; stopped runs go on; checkpoints train on with their masks frozen."""

import json
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from forks.python import python

from minima.store.checkpoints.checkpoint import load, save
from minima.store.checkpoints.trajectory import load_step, read_steps
from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.train import main
from minima.zoo.training.flags import Train

ROOT = Path(__file__).parents[3]
SMALL = ["--model", "mlp:hidden=12", "--epochs", "3"]


def train(*words, cwd=None, check=True):
    line = [python(), "-m", "minima.train", *map(str, words), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=cwd or ROOT, check=False)
    assert not check or done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.returncode == 0 else done


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    path = tmp_path_factory.mktemp("dense") / "dense.pt"
    return path, train(*SMALL, "-o", path, "--keep", 1)


def test_the_checkpoint_holds_what_the_report_says(dense):
    path, report = dense
    checkpoint = load(path)
    assert report["sha256"] == sha256(path)
    assert report["accuracy"] == checkpoint.metrics["test"]["accuracy"] > 0.5
    assert set(checkpoint.weights_at) == {0}
    assert checkpoint.data["spec"] == "digits"


def test_same_seed_same_bytes_and_another_seed_others(dense, tmp_path):
    path, _ = dense
    train(*SMALL, "-o", tmp_path / "again.pt", "--keep", 1)
    train(*SMALL, "-o", tmp_path / "other.pt", "--keep", 1, "--seed", 1)
    assert sha256(tmp_path / "again.pt") == sha256(path) != sha256(tmp_path / "other.pt")


def test_the_trajectory_ends_where_the_checkpoint_is(dense):
    path, _ = dense
    trajectory = path.with_name("dense.trajectory.h5")
    final = load(path)
    assert read_steps(trajectory) == [0, 1, 2, 3]
    for moment, state in ((0, final.weights_at[0]), (3, final.state)):
        kept = load_step(trajectory, moment).state
        assert all(torch.equal(kept[name], state[name]) for name in state)


def test_typed_twice_it_is_reused_and_typed_otherwise_refused(dense):
    path, report = dense
    assert train(*SMALL, "-o", path, "--keep", 1) == report | {
        "reused": True,
        "wall_seconds": pytest.approx(0, abs=60),
    }
    done = train(*SMALL, "-o", path, "--lr", 0.01, check=False)
    assert done.returncode == 1
    assert "--overwrite" in done.stderr
    assert sha256(path) == report["sha256"]


def test_an_order_of_its_own_makes_a_sibling(dense, tmp_path):
    path, _ = dense
    train(*SMALL, "-o", tmp_path / "sibling.pt", "--order-seed", 5)
    ours, sibling = load(path), load(tmp_path / "sibling.pt")
    assert all(torch.equal(ours.weights_at[0][key], sibling.weights_at[0][key]) for key in ours.state)
    assert not torch.equal(ours.state["fc1.weight"], sibling.state["fc1.weight"])


def test_siblings_start_from_an_epoch_of_their_parent(tmp_path):
    parent, out = tmp_path / "parent.pt", tmp_path / "{stem}-{name}.pt"
    main(Train(model="mlp:hidden=12", epochs=2, weights_at=(0, 1), out=str(parent)))
    on = {"start": (parent,), "from_epoch": 1}
    for name, flags in (("start", {"epochs": 0}), ("again", {"epochs": 1}), ("other", {"epochs": 1, "order_seed": 5})):
        main(Train(**on, **flags, out=str(out).replace("{name}", name)))
    start, again, other = (load(tmp_path / f"parent-{name}.pt") for name in ("start", "again", "other"))
    assert all(torch.equal(start.state[name], value) for name, value in load(parent).weights_at[1].items())
    assert (start.training["from_epoch"], start.parent) == (1, sha256(parent))
    assert "from_epoch" not in load(parent).training  # so that older files are still recognised
    assert not torch.equal(again.state["fc1.weight"], other.state["fc1.weight"])
    with pytest.raises(BadInput, match="holds the weights of 0, 1"):
        main(Train(start=(parent,), from_epoch=2, out=str(tmp_path / "x.pt")))
    with pytest.raises(BadInput, match=r"--from FILE\.pt"):
        main(Train(from_epoch=2, out=str(tmp_path / "x.pt")))


def test_training_on_keeps_the_mask_frozen(dense, tmp_path):
    path, _ = dense
    parent = load(path)
    mask = torch.rand_like(parent.state["fc1.weight"]) < 0.2
    pruned = replace(
        parent,
        masks={"fc1.weight": mask},
        state=parent.state | {"fc1.weight": parent.state["fc1.weight"] * mask},
    )
    for name in ("a", "b"):
        save(pruned, tmp_path / f"{name}.pt")
    report = train("--from", tmp_path / "a.pt", tmp_path / "b.pt", "--epochs", 2, "-o", tmp_path / "{stem}.on.pt")
    assert report["out"] == [str(tmp_path / "a.on.pt"), str(tmp_path / "b.on.pt")]
    finished = load(tmp_path / "a.on.pt")
    assert torch.equal(finished.masks["fc1.weight"], mask)
    assert torch.equal(finished.state["fc1.weight"] != 0, mask)
    assert finished.parent == sha256(tmp_path / "a.pt")
    assert not torch.equal(finished.state["fc2.weight"], parent.state["fc2.weight"])
    assert sha256(tmp_path / "a.on.pt") == sha256(tmp_path / "b.on.pt")


def test_killed_runs_go_on_to_the_same_bytes(tmp_path):
    words = ["--model", "mlp:hidden=300x300", "--epochs", "40", "--keep", "7"]
    train(*words, "-o", tmp_path / "whole.pt")
    slow = (
        "import runpy; from minima.zoo.training import unfinished; unfinished.SECONDS_BETWEEN_SAVES = 0; "
        "runpy.run_module('minima.train', run_name='__main__', alter_sys=True)"
    )
    line = [python(foreign=True), "-c", slow, *words, "-o", str(tmp_path / "killed.pt")]
    for delay in (0.0, 0.05, 0.1):
        process = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        while not list(tmp_path.glob(".killed.pt.*.part")) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        assert process.poll() is None, process.stderr.read()
        process.kill()
        process.wait()
    train(*words, "-o", tmp_path / "killed.pt")
    assert sha256(tmp_path / "killed.pt") == sha256(tmp_path / "whole.pt")
    for step in read_steps(tmp_path / "whole.trajectory.h5"):
        one, other = (load_step(tmp_path / f"{name}.trajectory.h5", step).state for name in ("whole", "killed"))
        assert all(torch.equal(one[key], other[key]) for key in one)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "lenet6"], "lenet300"),
        (["--data", "nowhere"], "digits"),
        (["--data", "mnist", "--data-root", "/nonexistent"], "/nonexistent"),
        (["-o", "/nonexistent/x.pt"], "/nonexistent"),
        (["--lr", "1e30"], "--lr"),
        (["--validation", "1.5"], "--validation"),
        (["--from", "/nonexistent/a.pt"], "/nonexistent/a.pt"),
        (["--from", "a.pt", "--model", "lenet5"], "--model"),
        (["--from", "a.pt", "--seed", "3"], "--seed"),
        (["--from", "a.pt", "--weights-at", "1"], "--weights-at"),
    ],
)
def test_bad_input_is_one_clear_message_and_writes_nothing(tmp_path, words, said):
    done = train("-o", tmp_path / "x.pt", "--epochs", 1, *words, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_run_whose_kept_weights_are_lost_starts_again(dense, tmp_path):
    path, _ = dense
    words = [*SMALL, "--keep", 1, "-o", tmp_path / "net.pt"]
    stop = (
        "import runpy\n"
        "from minima.zoo.training import loop, unfinished\n"
        "unfinished.SECONDS_BETWEEN_SAVES = 0\n"
        "advance, loop.Trainer.calls = loop.Trainer.advance, 0\n"
        "def stops(self, steps):\n"
        "    loop.Trainer.calls += 1\n"
        "    if loop.Trainer.calls == 3: raise KeyboardInterrupt\n"
        "    return advance(self, steps)\n"
        "loop.Trainer.advance = stops\n"
        "runpy.run_module('minima.train', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run(
        [python(foreign=True), "-c", stop, *map(str, words)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 130
    shutil.rmtree(next(tmp_path.glob(".net.trajectory.h5.moments.part")))
    train(*words)
    assert sha256(tmp_path / "net.pt") == sha256(path)
    assert read_steps(tmp_path / "net.trajectory.h5") == [0, 1, 2, 3]


def test_a_trajectory_without_its_checkpoint_is_that_of_the_same_line_and_of_no_other(tmp_path):
    words = [*SMALL, "--keep", 1, "-o", tmp_path / "net.pt"]
    train(*words)
    content = (tmp_path / "net.trajectory.h5").read_bytes()
    (tmp_path / "net.pt").unlink()  # as a kill leaves it that comes between the two
    assert "another run's" in train(*words, "--seed", 9, check=False).stderr
    assert not train(*words)["reused"]
    assert (tmp_path / "net.trajectory.h5").read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pt", "net.trajectory.h5"]


def test_a_trajectory_that_is_gone_is_made_again_and_a_foreign_one_is_kept(dense, tmp_path):
    words = [*SMALL, "--keep", 1, "-o", tmp_path / "net.pt"]
    trajectory = tmp_path / "net.trajectory.h5"
    trajectory.write_text("somebody else's")
    assert "--overwrite" in train(*words, check=False).stderr
    assert trajectory.read_text() == "somebody else's"
    trajectory.unlink()
    train(*words)
    trajectory.unlink()
    assert not train(*words)["reused"]
    assert read_steps(trajectory) == [0, 1, 2, 3]


def test_a_checkpoint_never_replaces_its_own_parent(dense, tmp_path):
    shutil.copy(dense[0], tmp_path / "net.pt")
    done = train("--from", tmp_path / "net.pt", "-o", tmp_path / "net.pt", "--overwrite", check=False)
    assert "would be lost" in done.stderr
    assert sha256(tmp_path / "net.pt") == sha256(dense[0])
