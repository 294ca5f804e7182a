"""Curves with a bend: closed forms, a low path on digits, masks kept, a run that was stopped."""

import copy
import json
from dataclasses import replace
from typing import get_args, get_type_hints

import h5py
import numpy as np
import pytest
import torch

from landscape.objective.comparable import state_of
from landscape.path import compute, connection
from landscape.path.arc import Arc
from landscape.path.connection import BendTraining, connect
from landscape.path.curve import curves
from landscape.path.flags import Path
from landscape.path.report import table
from minima.store.hdf5.results import Identity, create
from minima.store.hdf5.summaries import is_of_the_run
from minima.train import main as train
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from minima.zoo.training.recipe import Recipe

A, C, B = ({"x": torch.tensor(corner, dtype=torch.float64)} for corner in ([0.0, 0.0], [1.0, 2.0], [4.0, 0.0]))


def at(kind, t):
    return Arc(curves()[kind](), A, B, C).at(t)["x"]


def test_the_flags_name_every_curve():
    assert sorted(get_args(get_type_hints(Path)["kind"])) == list(curves())


@pytest.mark.parametrize("name", curves())
def test_every_curve_leads_from_end_to_end(name):
    curve = curves()[name]()
    assert torch.equal(at(name, 0.0), A["x"])
    assert torch.equal(at(name, 1.0), B["x"])
    for t in (0.1, 0.5, 0.8):
        shares = curve.shares(t)
        assert sum(shares) == pytest.approx(1.0)
        assert (shares[1] != 0) == curve.bent
    assert curve.formula


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_closed_forms(t):
    first, last = A["x"].lerp(C["x"], t), C["x"].lerp(B["x"], t)
    torch.testing.assert_close(at("bezier", t), first.lerp(last, t))  # de Casteljau
    torch.testing.assert_close(at("line", t), A["x"].lerp(B["x"], t))
    pieces = A["x"].lerp(C["x"], 2 * t) if t <= 0.5 else C["x"].lerp(B["x"], 2 * t - 1)
    torch.testing.assert_close(at("piecewise", t), pieces)


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """Two networks trained from different seeds."""
    folder = tmp_path_factory.mktemp("ends")
    for seed in (0, 1):
        train(Train(model="mlp:hidden=24", epochs=12, seed=seed, out=str(folder / f"{seed}.pt")))
    return folder / "0.pt", folder / "1.pt"


@pytest.mark.parametrize("kind", ["bezier", "piecewise"])
def test_a_bend_passes_below_a_tenth_of_the_lines_barrier(command, ends, tmp_path, kind):
    _, line, _ = command("path", *ends, "--points", 9, "-o", tmp_path / "line.h5")
    _, bent, _ = command("path", *ends, "--points", 9, "--kind", kind, "-o", tmp_path / "bent.h5")
    assert line["barrier"]["loss"] > 0.1
    assert bent["barrier"]["loss"] < 0.1 * line["barrier"]["loss"]
    assert bent["losses"][0] == line["losses"][0]
    with h5py.File(tmp_path / "bent.h5") as file:
        assert file["path"].attrs["kind"] == kind
        assert file["path/bend"].shape == (64 * 24 + 24 + 24 * 10 + 10,)


def test_an_untrained_bend_is_the_line(command, ends, tmp_path):
    flags = ["--points", 5, "--epochs", 0, "-o"]
    found = [command("path", *ends, "--kind", kind, *flags, tmp_path / f"{kind}.h5")[1] for kind in curves()]
    np.testing.assert_allclose(found[0]["losses"], found[1]["losses"], rtol=1e-5)
    np.testing.assert_allclose(found[0]["losses"], found[2]["losses"], rtol=1e-5)


@pytest.fixture
def place(tmp_path):
    with pytest.raises(RuntimeError), create(tmp_path / "x.h5", Identity("path", [], {}), [], {}) as results:
        yield results.place(0)


def bend_training(epochs):
    return BendTraining(epochs, Recipe(optimiser="adam", lr=0.01, weight_decay=0.0, schedule="cosine"), 0)


def test_what_both_removed_stays_zero_and_the_ends_stay(ends, place):
    first, second = (load_subject(path) for path in ends)
    masks = {"fc1.weight": torch.rand(24, 64, generator=torch.Generator().manual_seed(0)) > 0.7}
    first, second = replace(first, masks=masks), replace(second, masks=masks)
    before = copy.deepcopy(state_of(first))
    arc = connect(Arc(curves()["bezier"](), state_of(first), state_of(second)), first, masks, bend_training(1), place)
    for t in (0.0, 0.3, 1.0):
        assert torch.equal(arc.at(t)["fc1.weight"] != 0, masks["fc1.weight"])
    middle = (before["fc1.weight"] + state_of(second)["fc1.weight"]) / 2
    assert (arc.bend["fc1.weight"] - middle).abs().max() > 1e-4  # the others moved
    assert all(torch.equal(before[name], value) for name, value in state_of(first).items())


def test_a_stopped_run_ends_with_the_same_bits(command, ends, tmp_path, monkeypatch):
    flags = [*ends, "--kind", "bezier", "--points", "5", "--epochs", "6", "-o"]
    _, whole, _ = command("path", *flags, tmp_path / "whole.h5")
    assert whole["bend_epochs"] == 6
    assert "bezier: bend trained for 6 epochs" in table(whole)
    monkeypatch.setattr(connection.Unfinished, "offer", lambda self, state: self.save(state()))
    stopped = tmp_path / "stopped.h5"
    for owner, name in ((connection.Trainer, "pieces"), (compute, "levels")):  # in the middle of either part
        original = getattr(owner, name)

        def cut(*positional, original=original, **named):
            for index, found in enumerate(original(*positional, **named)):
                if index == 3:
                    raise KeyboardInterrupt
                yield found

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, cut)
            assert command("path", *flags, stopped)[0] == 130
    _, resumed, _ = command("path", *flags, stopped)
    same = [key for key in whole if not is_of_the_run(key) and key not in ("out", "reused")]
    assert json.dumps([whole[key] for key in same]) == json.dumps([resumed[key] for key in same])
    with h5py.File(tmp_path / "whole.h5") as one, h5py.File(stopped) as other:
        assert np.array_equal(one["path/bend"][()], other["path/bend"][()])
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["stopped.h5", "whole.h5"]


def test_a_bend_has_no_running_statistics(command, another):
    pair = [another(f"{seed}.pt", model="resnet20:width=2", seed=seed) for seed in (0, 1)]
    status, _, err = command("path", *pair, "--kind", "bezier", "--samples", 20)
    assert status == 1
    assert "--batch-norm re-estimate" in err
    status, found, _ = command(
        "path", *pair, "--kind", "bezier", "--samples", 20, "--points", 3, "--epochs", 1, "--batch-norm", "re-estimate"
    )
    assert status == 0
    assert found["batch_norm"] == "re-estimate"
