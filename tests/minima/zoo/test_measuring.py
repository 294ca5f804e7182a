"""The driver of all measuring commands, with a measure that only counts how often it is asked."""

import json
from dataclasses import dataclass

import h5py
import numpy as np
import pytest
import xarray

from minima.store.checkpoints.checkpoint import save
from minima.store.command import BadInput
from minima.zoo.measuring.each import measure_each
from minima.zoo.measuring.flags import Measuring


@dataclass(frozen=True, kw_only=True)
class Arguments(Measuring):
    power: int = 2


class Counter:
    """Writes the mean weight to a power; remembers its calls and can break down."""

    def __init__(self, breaks_at=None):
        self.calls, self.breaks_at = [], breaks_at

    def __call__(self, subject, place):
        if subject.name == self.breaks_at:
            raise KeyboardInterrupt
        self.calls.append(subject.name)
        weight = subject.model.conv1.weight.detach().double().numpy()
        place.scale("toy/filter", np.arange(len(weight)), "1", "filter")
        place.write("toy/norms", (weight**2).sum((1, 2, 3)), ("filter",), "1", "squared norm")
        return {"mean": float(weight.mean())}


def measure(counter, **flags):
    arguments = Arguments(**flags)
    return measure_each(arguments, "toy", counter, lambda summary: f"mean {summary['mean']:.3f}")


def test_one_checkpoint_beside_itself_and_reused(checkpoint_file):
    counter = Counter()
    first = measure(counter, checkpoints=(checkpoint_file,))
    again = measure(counter, checkpoints=(checkpoint_file,), json=True, batch_size=None)
    assert counter.calls == ["ours.pt"]
    assert first.summary["out"] == str(checkpoint_file.with_name("ours.toy.h5"))
    assert (first.summary["reused"], again.summary["reused"]) == (False, True)
    assert {**first.summary, "reused": True} == again.summary
    assert {
        "checkpoint",
        "sha256",
        "loss",
        "accuracy",
        "samples",
        "seed",
        "out",
        "seconds",
        "compile_seconds",
    } <= set(first.summary)
    assert first.table == again.table


def test_other_arguments_are_refused_and_overwrite_replaces(checkpoint_file):
    measure(Counter(), checkpoints=(checkpoint_file,))
    with pytest.raises(BadInput, match="--overwrite"):
        measure(Counter(), checkpoints=(checkpoint_file,), power=3)
    assert not measure(Counter(), checkpoints=(checkpoint_file,), power=3, overwrite=True).summary["reused"]


def test_another_checkpoint_of_the_same_name_is_refused(checkpoint_file, checkpoint):
    measure(Counter(), checkpoints=(checkpoint_file,))
    checkpoint.state["conv1.bias"].add_(1)
    save(checkpoint, checkpoint_file)
    with pytest.raises(BadInput, match="--overwrite"):
        measure(Counter(), checkpoints=(checkpoint_file,))


def test_several_give_one_axis_and_finished_ones_are_kept(checkpoint_file, checkpoint, tmp_path):
    checkpoint.state["conv1.weight"].mul_(2)
    save(checkpoint, tmp_path / "twice.pt")
    flags = {"checkpoints": (checkpoint_file, tmp_path / "twice.pt"), "out": tmp_path / "both.h5"}
    with pytest.raises(KeyboardInterrupt):
        measure(Counter(breaks_at="twice.pt"), **flags)
    assert not (tmp_path / "both.h5").exists()
    counter = Counter()
    summary = measure(counter, **flags).summary
    assert counter.calls == ["twice.pt"]
    assert summary["mean"][1] == pytest.approx(2 * summary["mean"][0])
    assert len(summary["sha256"]) == len(summary["loss"]) == 2
    assert summary["samples"] == 1437
    with xarray.open_dataset(tmp_path / "both.h5", engine="h5netcdf", group="toy") as stored:
        assert stored.norms.dims == ("checkpoint", "filter")
        assert stored.checkpoint.values.tolist() == ["ours.pt", "twice.pt"]
        np.testing.assert_allclose(stored.norms[1], 4 * stored.norms[0])


def test_nothing_is_measured_before_the_target_is_known_to_be_writable(tmp_path, checkpoint_file):
    counter = Counter()
    with pytest.raises(BadInput, match="nowhere"):
        measure(counter, checkpoints=(checkpoint_file,), out=tmp_path / "nowhere" / "x.h5")
    assert not counter.calls


def test_a_checkpoint_is_never_its_own_result(checkpoint_file):
    content = checkpoint_file.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(BadInput, match="would be lost"):
            measure(Counter(), checkpoints=(checkpoint_file,), out=checkpoint_file, overwrite=overwrite)
    assert checkpoint_file.read_bytes() == content


def test_data_that_changed_is_measured_again(checkpoint_file, tmp_path, monkeypatch):
    x, y = np.random.default_rng(0).random((12, 1, 8, 8), np.float32), np.arange(12) % 10
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    monkeypatch.chdir(tmp_path)
    flags = {"checkpoints": (checkpoint_file,), "data": "npz:d.npz"}
    first = measure(Counter(), **flags)
    monkeypatch.chdir("/")
    assert measure(Counter(), **flags | {"data": f"npz:{tmp_path / 'd.npz'}"}).summary["reused"]
    np.savez(tmp_path / "d.npz", x_train=x + 1, y_train=y, x_test=x, y_test=y)
    with pytest.raises(BadInput, match="--overwrite"):
        measure(Counter(), **flags | {"data": f"npz:{tmp_path / 'd.npz'}"})
    again = measure(Counter(), **flags | {"data": f"npz:{tmp_path / 'd.npz'}"}, overwrite=True)
    assert again.summary["loss"] != first.summary["loss"]


def test_the_file_says_what_was_measured(checkpoint_file):
    out = measure(Counter(), checkpoints=(checkpoint_file,), samples=20).summary["out"]
    with h5py.File(out) as file:
        assert file.attrs["samples"] == 20
        assert json.loads(file.attrs["model"])["name"] == "lenet5"
        assert json.loads(file.attrs["data"])["spec"] == "digits"


def test_a_batch_of_none_is_refused(checkpoint_file):
    with pytest.raises(BadInput, match="--batch-size 0"):
        measure(Counter(), checkpoints=(checkpoint_file,), batch_size=0)


def test_an_absent_checkpoint_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"absent\.pt"):
        measure(Counter(), checkpoints=(tmp_path / "absent.pt",))
    assert not list(tmp_path.iterdir())
