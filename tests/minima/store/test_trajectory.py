"""Trajectories: every kept moment comes back, a stopped run goes on, and no kill loses a moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from forks.python import python

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.checkpoints.trajectory import is_trajectory, load_step, read_steps
from minima.store.checkpoints.trajectory_writer import LostTrajectory, TrajectoryWriter
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import same_content
from minima.store.messages import BadInput

Make = Callable[..., Checkpoint]


def state_at(step: int) -> dict[str, torch.Tensor]:
    return {
        "fc.weight": torch.full((2, 3), float(step)),
        "bn.num_batches_tracked": torch.tensor(step),
        "fc.bias": torch.full((3,), step / 2),
    }


def masked_at(step: int) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """A network that loses one more weight at each step."""
    mask = torch.arange(6).reshape(2, 3) >= step
    return state_at(step) | {"fc.weight": mask.float()}, {"fc.weight": mask}


@pytest.fixture
def header(make_checkpoint: Make) -> Checkpoint:
    return replace(make_checkpoint(None), state={})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.trajectory.h5"


def names(path: Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir())


def test_every_kept_moment_comes_back(header: Checkpoint, path: Path) -> None:
    writer = TrajectoryWriter(path, header, "epoch")
    for step in (0, 2, 10):
        writer.append(step, state_at(step), {})
    assert not path.exists()
    writer.finish()
    assert names(path) == [f".{path.name}.moments.part", path.name]  # the run that it belongs to may still be killed
    writer.forget()
    assert names(path) == [path.name]
    assert read_steps(path) == [0, 2, 10]
    for step in (0, 2, 10):
        back = load_step(path, step)
        assert list(back.state) == list(state_at(step))
        for name, tensor in state_at(step).items():
            assert back.state[name].dtype == tensor.dtype
            assert torch.equal(back.state[name], tensor)
        assert back.masks == {}
        assert back.model["name"] == header.model["name"]
        assert back.seed == header.seed


def test_masks_may_change_from_moment_to_moment(header: Checkpoint, path: Path) -> None:
    writer = TrajectoryWriter(path, header, "step")
    writer.append(0, state_at(0), {})  # dense before the first cut
    for step in (1, 2):
        writer.append(step, *masked_at(step))
    writer.finish()
    assert load_step(path, 0).masks["fc.weight"].all()
    for step in (1, 2):
        assert torch.equal(load_step(path, step).masks["fc.weight"], masked_at(step)[1]["fc.weight"])
    save(load_step(path, 2), path.with_name("x.pt"))  # a moment is a checkpoint


def test_the_headers_masks_hold_where_none_are_given(header: Checkpoint, path: Path) -> None:
    state, masks = masked_at(3)
    writer = TrajectoryWriter(path, replace(header, masks=masks), "epoch")
    writer.append(1, state, {})
    writer.finish()
    assert torch.equal(load_step(path, 1).masks["fc.weight"], masks["fc.weight"])


def test_later_changes_of_the_model_do_not_change_what_was_kept(header: Checkpoint, path: Path) -> None:
    writer, state = TrajectoryWriter(path, header, "epoch"), state_at(1)
    writer.append(1, state, {})
    state["fc.weight"].zero_()
    writer.finish()
    assert load_step(path, 1).state["fc.weight"].eq(1).all()


def write(path: Path, header: Checkpoint, steps: range) -> TrajectoryWriter:
    writer = TrajectoryWriter(path, header, "epoch")
    for step in steps:
        writer.append(step, *masked_at(step))
    return writer


def test_going_on_forgets_the_moments_after_the_last_step(header: Checkpoint, path: Path) -> None:
    write(path.with_name("whole.h5"), header, range(6)).finish()
    stopped = write(path, header, range(5))
    stopped.append(3, state_at(99), {})  # what a run does that is not to be gone on from
    resumed = TrajectoryWriter.resume(path, 2, header, "epoch")
    assert resumed.steps() == [0, 1, 2]
    for step in range(3, 6):
        resumed.append(step, *masked_at(step))
    resumed.finish()
    assert same_content(path, path.with_name("whole.h5"))
    assert path.read_bytes() == path.with_name("whole.h5").read_bytes()


def test_a_run_stopped_after_finish_goes_on_too(header: Checkpoint, path: Path) -> None:
    write(path.with_name("whole.h5"), header, range(6)).finish()
    for forgotten in (False, True):
        stopped = write(path, header, range(6))
        stopped.finish()
        if forgotten:
            stopped.forget()
        resumed = TrajectoryWriter.resume(path, 3, header, "epoch")
        for step in (4, 5):
            resumed.append(step, *masked_at(step))
        resumed.finish()
        assert path.read_bytes() == path.with_name("whole.h5").read_bytes()


def test_a_kill_while_moments_are_removed_or_brought_back_loses_none(header: Checkpoint, path: Path) -> None:
    """The folder counts by its header: without it the file is whole, whatever is left of the folder."""
    finished = write(path, header, range(6))
    finished.finish()
    folder = path.with_name(f".{path.name}.moments.part")
    (folder / "header.json").unlink()
    (folder / "2.pt").unlink()
    assert TrajectoryWriter.resume(path, 4, header, "epoch").steps() == [0, 1, 2, 3, 4]


def test_a_moment_that_was_damaged_is_not_gone_on_with(header: Checkpoint, path: Path) -> None:
    stopped = write(path, header, range(3))
    moment = path.with_name(f".{path.name}.moments.part") / "1.pt"
    content = bytearray(moment.read_bytes())
    content[content.index(np.float32(1).tobytes())] ^= 1
    moment.write_bytes(content)
    with pytest.raises(LostTrajectory, match="damaged"):
        TrajectoryWriter.resume(path, 2, header, "epoch")
    with pytest.raises(LostTrajectory, match="damaged"):
        stopped.finish()
    assert not path.exists()


def test_a_large_trajectory_is_never_in_memory(header: Checkpoint, path: Path) -> None:
    """Rows of every size come back, beside what HDF5 lays out; the layout alone is in memory."""
    writer = TrajectoryWriter(path, header, "step")
    sizes = {"none": 0, "one": 1, "page": 1024, "odd": 12345, "large": 300_000}

    def state(step: int) -> dict[str, torch.Tensor]:
        return {name: torch.arange(size, dtype=torch.float32) + step for name, size in sizes.items()}

    for step in range(8):
        writer.append(step, state(step), {}, {"learning_rate": step / 3} if step % 2 else None)
    tracemalloc.start()
    writer.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 4 * sum(sizes.values()) < path.stat().st_size
    for step in range(8):
        back = load_step(path, step)
        assert all(torch.equal(back.state[name], value) for name, value in state(step).items())
        assert back.training.get("moment", {}) == ({"learning_rate": step / 3} if step % 2 else {})


def test_a_new_run_forgets_what_another_left(header: Checkpoint, path: Path) -> None:
    write(path, header, range(5))
    writer = TrajectoryWriter(path, replace(header, seed=9), "epoch")
    assert writer.steps() == []


@pytest.mark.parametrize("finished", [False, True])
def test_one_run_does_not_go_on_with_anothers_weights(header: Checkpoint, path: Path, finished: bool) -> None:
    other = write(path, replace(header, seed=9), range(5))
    if finished:
        other.finish()
    with pytest.raises(LostTrajectory, match=r"another run's"):
        TrajectoryWriter.resume(path, 3, header, "epoch")
    if finished:
        assert read_steps(path) == [0, 1, 2, 3, 4]


def test_going_on_from_nothing_is_said(header: Checkpoint, path: Path) -> None:
    with pytest.raises(LostTrajectory, match="has to start again"):
        TrajectoryWriter.resume(path, 3, header, "epoch")


def test_reading_what_is_not_there(header: Checkpoint, path: Path) -> None:
    write(path, header, range(3)).finish()
    with pytest.raises(BadInput, match=r"does not hold epoch 7. It holds 0, 1, 2"):
        load_step(path, 7)
    with pytest.raises(BadInput, match="no such file"):
        read_steps(path.with_name("y.h5"))
    path.with_name("z.h5").write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInput, match="damaged"):
        read_steps(path.with_name("z.h5"))
    assert not is_trajectory(path.with_name("z.h5"))


def test_weights_that_diverged_are_kept_but_not_measured(header: Checkpoint, path: Path) -> None:
    writer = TrajectoryWriter(path, header, "epoch")
    writer.append(1, state_at(1) | {"fc.bias": torch.tensor([float("nan"), 0, 0])}, {})
    writer.finish()
    with pytest.raises(BadInput, match=r"fc.bias contains 1"):
        load_step(path, 1)


def test_what_is_a_trajectory(header: Checkpoint, path: Path, make_checkpoint: Make) -> None:
    writer = write(path, header, range(1))
    writer.finish()
    writer.forget()
    save(make_checkpoint(), path.with_name("x.pt"))
    with h5py.File(path.with_name("other.h5"), "w") as file:
        file["a"] = np.zeros(3)
    found = {name: is_trajectory(path.with_name(name)) for name in names(path)}
    assert found == {"other.h5": False, "x.pt": False, "x.trajectory.h5": True}


def test_the_file_explains_itself(header: Checkpoint, path: Path) -> None:
    write(path, header, range(3)).finish()
    with h5py.File(path) as file:
        assert json.loads(file.attrs["header"])["header"]["data"]["spec"] == "digits"
        assert file["step"].attrs["units"] == "epoch"
        assert file["state/fc.weight"].dims[0][0].name == "/step"
        assert file["masks/fc.weight"].shape == (3, 1)


def test_negative_moments_are_refused(header: Checkpoint, path: Path) -> None:
    with pytest.raises(ValueError, match="negative"):
        TrajectoryWriter(path, header, "step").append(-1, state_at(1), {})


RUN = """
import sys, time
from pathlib import Path
import torch
from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
path, header = Path(sys.argv[1]), Checkpoint(model={"name": "m"}, data={}, state={})
folder = path.with_name(f".{path.name}.moments.part")
if folder.exists() and (folder / "header.json").exists():
    writer = TrajectoryWriter.resume(path, max([-1, *map(int, sys.argv[2:])]), header, "step")
else:
    writer = TrajectoryWriter(path, header, "step")
print("going", flush=True)
for step in range(len(writer.steps()), 60):
    writer.append(step, {"w": torch.full((50, 50), float(step))}, {})
    print(step, flush=True)
writer.finish()
"""


def test_kill_9_loses_no_moment(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.h5", tmp_path / "killed.h5"
    subprocess.run([python(foreign=True), "-c", RUN, str(whole)], check=True, capture_output=True)
    generator = np.random.default_rng(0)
    last = -1
    for _ in range(2):
        process = subprocess.Popen(
            [python(foreign=True), "-c", RUN, str(path), str(last)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(generator.uniform(0, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        said = [int(line) for line in process.communicate()[0].split()]
        last = max([last, *said])  # what was said to be kept is kept
    subprocess.run([python(foreign=True), "-c", RUN, str(path), str(last)], check=True, capture_output=True)
    assert same_content(path, whole)
    assert read_steps(path) == list(range(60))


def test_an_array_where_a_group_should_be_is_said_in_words(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["state"] = np.zeros(3)
    with pytest.raises(BadInput, match="is damaged: state is an array, not a group"), opened(path) as read:
        read["state"]["fc.weight"]
