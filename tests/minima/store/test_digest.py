"""What files of ours say of their own content: every change of it is seen and named."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from minima.store.canonical import Canonical
from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.checkpoints.trajectory import TrajectoryWriter
from minima.store.hdf5.digest import DIGEST, seal, verify
from minima.store.hdf5.results import Identity, create

IDENTITY = Identity("surface", ["aa", "bb"], {"grid": 3})


def write(path: Path, seconds: float = 1.0) -> Path:
    with create(path, IDENTITY, ["a.pt", "b.pt"], {"seed": 0}) as results:
        for index in (0, 1):
            place = results.place(index)
            place.scale("surface/alpha", [0.0, 0.5, 1.0], "1", "first coordinate")
            place.scale("surface/word", ["one", "zwei…"], "1", "names")
            place.write("surface/loss", np.arange(3.0) + index, ("alpha",), "nat", "loss")
            place.write("surface/count", 7, (), "1", "how many")
            place.attributes("surface", normalise="filter", extent=0.5 + index)
            results.mark_done(index, {"loss": 0.25, "seconds": seconds})
        results.finish()
    return path


@pytest.fixture
def trajectory(tmp_path: Path, make_checkpoint: Callable[..., Checkpoint]) -> Path:
    checkpoint = make_checkpoint(0.5)
    writer = TrajectoryWriter(tmp_path / "x.trajectory.h5", checkpoint, "step")
    for step in (0, 3):
        writer.append(step, {name: value + step for name, value in checkpoint.state.items()}, {}, {"lr": 0.1})
    writer.finish()
    return tmp_path / "x.trajectory.h5"


def damaged(path: Path, change: Callable[[h5py.File], object]) -> list[str]:
    with h5py.File(path, "r+") as file:
        assert verify(file) == []
        change(file)
        return verify(file)


def replace_dataset(file: h5py.File) -> None:
    del file["surface/count"]
    file["surface/count"] = [7, 7]


CHANGES: dict[str, tuple[Callable[[h5py.File], object], list[str]]] = {
    "a value": (lambda file: file["surface/loss"].__setitem__((1, 2), 9), ["surface/loss"]),
    "a text": (lambda file: file["surface/word"].__setitem__(1, "two"), ["surface/word"]),
    "an array's attribute": (lambda file: file["surface/loss"].attrs.modify("units", "bit"), ["surface/loss"]),
    "an array's digest": (lambda file: file["surface/loss"].attrs.modify(DIGEST, "0" * 64), ["surface/loss"]),
    "no digest": (lambda file: file["surface/loss"].attrs.pop(DIGEST), ["surface/loss"]),
    "another shape": (replace_dataset, ["surface/count"]),
    "a group's attribute": (lambda file: file["surface"].attrs.__setitem__("normalise", "none"), ["/"]),
    "the root's attribute": (lambda file: file.attrs.modify("seed", 1), ["/"]),
    "an attribute's type": (lambda file: file.attrs.__setitem__("seed", 0.0), ["/"]),
    "an array less": (lambda file: file.pop("surface/count"), ["surface/checkpoint"]),
    "a group more": (lambda file: file.create_group("surface/more"), ["/"]),
    "a scale detached": (
        lambda file: file["surface/loss"].dims[1].detach_scale(file["surface/alpha"]),
        ["surface/alpha", "surface/loss"],
    ),
    "the clock": (lambda file: file["clock"].attrs.modify("finished", "yesterday"), ["clock"]),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_every_change_is_named(tmp_path: Path, kind: str) -> None:
    change, expected = CHANGES[kind]
    assert damaged(write(tmp_path / "x.h5"), change) == expected


def test_a_link_to_another_place_is_no_content_of_ours(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["surface/aside"] = h5py.ExternalLink("other.h5", "/x")

    with pytest.raises(ValueError, match="surface/aside leads to another place"):
        damaged(write(tmp_path / "x.h5"), change)


def test_times_have_a_digest_of_their_own(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path / "x.h5")) as one, h5py.File(write(tmp_path / "y.h5", seconds=2.0)) as other:
        assert one.attrs[DIGEST] == other.attrs[DIGEST]
        assert one["clock"].attrs[DIGEST] != other["clock"].attrs[DIGEST]


def test_sealed_files_open_labelled_in_xarray(tmp_path: Path, trajectory: Path) -> None:
    with xarray.open_dataset(write(tmp_path / "x.h5"), engine="h5netcdf", group="surface") as surface:
        assert surface["loss"].sel(alpha=0.5, checkpoint="b.pt") == 2
        assert len(surface["loss"].attrs[DIGEST]) == 64
    with xarray.open_dataset(trajectory, engine="h5netcdf") as root:
        assert list(root["step"]) == [0, 3]
        assert root["step_digest"].dims == ("step",)


def test_each_moment_of_a_trajectory_has_its_own(trajectory: Path) -> None:
    assert damaged(trajectory, lambda file: file["state/fc1.weight"].__setitem__((1, 0, 0), 9)) == ["step_digest[1]"]


def test_an_array_of_many_pieces_has_the_digest_of_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(120.0).reshape(4, 5, 6)
    digests = []
    for most in (2**24, 100, 16):
        monkeypatch.setattr("minima.store.hdf5.digest.PIECE", most)
        with h5py.File(tmp_path / f"{most}.h5", "w") as file:
            file["x"] = values
            seal(file)
            digests.append(file["x"].attrs[DIGEST])
    assert len(set(digests)) == 1


def test_no_two_contents_have_one_form() -> None:
    contents = [None, 0, False, 0.0, -0.0, "", b"", [], {}, [[]], ["a", "b"], ["ab"], {"a": "b"}, "a\ud800"]
    contents += [np.zeros(0), np.zeros((0, 1)), np.zeros(1), np.zeros(1, ">f8"), np.array(["a"], object)]
    assert len({Canonical().add(each).hexdigest() for each in contents}) == len(contents)
