"""The driver of all measuring commands, with a measure that only counts how often it is asked."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray

from store.checkpoint import save
from store.command import BadInput
from zoo.measuring import Measuring, measure_each


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


def test_nothing_is_read_before_the_target_is_known_to_be_writable(tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        measure(Counter(), checkpoints=(tmp_path / "absent.pt",), out=tmp_path / "nowhere" / "x.h5")


def test_an_absent_checkpoint_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"absent\.pt"):
        measure(Counter(), checkpoints=(tmp_path / "absent.pt",))
    assert not list(tmp_path.iterdir())
