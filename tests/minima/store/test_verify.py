"""`python -m minima verify`: what is whole, and what of a damaged file is not."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from minima import verify as command
from minima.store.checkpoints.checkpoint import VERSION, Checkpoint, load, save
from minima.store.checkpoints.trajectory import load_step
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
from minima.store.hdf5.results import Identity, create, find
from minima.store.messages import BadInput
from minima.store.reading import sha256

IDENTITY = Identity("hessian", ["ab" * 32], {"top": 2})


@pytest.fixture
def files(make_checkpoint: Callable[..., Checkpoint], tmp_path: Path) -> Path:
    """A folder with a checkpoint, a results file and a trajectory."""
    checkpoint = make_checkpoint()
    save(checkpoint, tmp_path / "x.pt")
    writer = TrajectoryWriter(tmp_path / "x.trajectory.h5", checkpoint, "epoch")
    for epoch in (1, 2):
        writer.append(epoch, checkpoint.state, checkpoint.masks)
    writer.finish()
    with create(tmp_path / "x.h5", IDENTITY, ["x.pt"], {"seed": 0}) as results:
        place = results.place(0)
        place.scale("hessian/rank", [1, 2], "1", "rank")
        place.write("hessian/eigenvalues", [12.5, 3.25], ("rank",), "nat", "largest eigenvalues")
        results.mark_done(0, {"loss": 0.5, "seconds": 1.0})
        results.finish()
    return tmp_path


def change(path: Path, name: str, at: object, value: object) -> None:
    with h5py.File(path, "r+") as file:
        file[name][at] = value


def test_whole_files_are_told_with_their_kind_and_hash(files: Path) -> None:
    paths = tuple(files / name for name in ("x.pt", "x.h5", "x.trajectory.h5"))
    found = command.main(command.Verify(files=paths)).summary["files"]
    assert [each["kind"] for each in found] == ["checkpoint", "results", "trajectory"]
    assert [each["sha256"] for each in found] == [sha256(path) for path in paths]


def test_all_damaged_files_are_named_with_what_is_damaged(files: Path) -> None:
    change(files / "x.h5", "hessian/eigenvalues", 1, 4.0)
    change(files / "x.trajectory.h5", "state/fc1.bias", (1, 3), 4.0)
    with h5py.File(files / "other.h5", "w") as other:
        other["x"] = np.zeros(3)
    paths = tuple(files / name for name in ("x.pt", "x.h5", "x.trajectory.h5", "other.h5", "no.pt"))
    with pytest.raises(BadInput) as caught:
        command.main(command.Verify(files=paths))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{files / 'x.h5'} is damaged, not what was written: hessian/eigenvalues"
    assert lines[1] == f"{files / 'x.trajectory.h5'} is damaged, not what was written: step_digest[1]"
    assert "other.h5 is no results file, trajectory or checkpoint" in lines[2]
    assert "there is no such file" in lines[3]
    assert lines[-1] == f"whole: {files / 'x.pt'}"


def test_a_damaged_moment_is_refused_and_the_others_are_read(files: Path) -> None:
    change(files / "x.trajectory.h5", "state/fc1.bias", (1, 3), 4.0)
    assert load_step(files / "x.trajectory.h5", 1).state["fc1.bias"][3] == 0
    with pytest.raises(BadInput, match=r"x\.trajectory\.h5 is damaged: .*place 1"):
        load_step(files / "x.trajectory.h5", 2)


def test_a_damaged_result_is_not_reused(files: Path) -> None:
    assert find(files / "x.h5", IDENTITY) is not None
    change(files / "x.h5", "hessian/eigenvalues", 1, 4.0)
    with pytest.raises(BadInput, match=r"(?s)x\.h5 is damaged.*--overwrite"):
        find(files / "x.h5", IDENTITY)


@pytest.mark.parametrize("entry", ["seed", "training", "state", "weights_at", "digest"])
def test_no_entry_of_a_checkpoint_can_change_unseen(files: Path, entry: str) -> None:
    raw = torch.load(files / "x.pt", weights_only=True)
    assert raw["version"] == VERSION
    raw[entry] = {"seed": 5, "training": {}, "weights_at": {0: {}}, "digest": "0" * 64}.get(entry, raw["state"])
    if entry == "state":
        raw["state"]["fc1.bias"][0] = 1
    torch.save(raw, files / "x.pt")
    with pytest.raises(BadInput, match=r"x\.pt is damaged: its content is not what was written"):
        load(files / "x.pt")


def test_a_file_of_before_is_refused_with_what_to_do(files: Path) -> None:
    with h5py.File(files / "x.h5", "r+") as file:
        file.attrs["version"] = 1
        del file.attrs["digest"]
    with pytest.raises(BadInput, match=r"(?s)version 1 of minima-results.*older version: make it again"):
        find(files / "x.h5", IDENTITY)
    with h5py.File(files / "x.h5", "r+") as file:
        file.attrs["version"] = 2
    with pytest.raises(BadInput, match="is damaged: it lost the digest"):
        find(files / "x.h5", IDENTITY)


@pytest.mark.parametrize("name", ["x.npz", "x.safetensors", "x.onnx", "foreign.pt"])
def test_files_without_a_digest_are_not_called_damaged(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    np.savez(path.open("wb"), x=np.zeros(3)) if name != "foreign.pt" else torch.save({"w": torch.zeros(3)}, path)
    with pytest.raises(
        BadInput, match="is no results file, trajectory or checkpoint of this suite: it carries no digest"
    ):
        command.verify(path)
