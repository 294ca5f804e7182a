"""The four commands end to end: what the contract promises scripts."""

import os

import h5py
import numpy as np
import pytest
import torch
import xarray
from oracles.dense_landscape import Dense

from minima.store.hdf5.results import same_content
from minima.zoo.subject.subject import load_subject

COMMON = {
    *("checkpoint", "sha256", "loss", "accuracy", "gradient_norm", "samples", "seed", "out", "seconds"),
    *("compile_seconds", "wall_seconds", "reused"),
}
QUICK = {
    "hessian": ["--top", "3", "--trace", "4"],
    "sharpness": ["--measures", "lambda_max,sam,trace", "--sam.steps", "3", "--trace.probes", "4"],
    "surface": ["--grid", "3x4"],
    "path": ["--points", "3"],
}
KEYS = {
    "hessian": {"eigenvalues", "residuals", "passes", "products", "trace", "subspace"},
    "sharpness": {"measures", "subspace"},
    "surface": {"shape", "loss_at_centre", "loss_min", "loss_max", "points", "forward_passes", "subspace"},
    "path": {"barrier", "losses", "errors", "t"},
}


def ends(name, *files):
    return list(files) if name == "path" else list(files[:1])


@pytest.mark.parametrize("name", QUICK)
def test_json_reuse_and_the_same_content_again(name, command, checkpoint, pruned, tmp_path):
    arguments = [*ends(name, pruned, checkpoint), "--samples", "60", *QUICK[name]]
    status, first, _ = command(name, *arguments, "-o", tmp_path / "one.h5")
    assert status == 0
    assert set(first) >= COMMON | KEYS[name]
    assert (first["samples"], first["seed"], first["reused"]) == (60, 0, False)
    _, again, _ = command(name, *arguments, "-o", tmp_path / "one.h5")
    assert again["reused"]
    assert {**again, "reused": 0, "wall_seconds": 0} == {**first, "reused": 0, "wall_seconds": 0}
    command(name, *arguments, "-o", tmp_path / "two.h5")
    assert same_content(tmp_path / "one.h5", tmp_path / "two.h5")
    status, _, err = command(name, *arguments, "-o", tmp_path / "one.h5", "--seed", "1")
    assert status == 1
    assert "--overwrite" in err
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", QUICK)
def test_the_table_and_the_default_place(name, command, checkpoint, pruned, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # from another directory, by a relative path
    files = [os.path.relpath(path) for path in ends(name, checkpoint, pruned)]
    status, table, _ = command(name, *files, "--samples", "40", *QUICK[name], as_json=False)
    assert status == 0
    assert "loss" in table
    stem = "net-to-net.magnitude-0.8" if name == "path" else "net"
    assert (tmp_path / f"{stem}.{name}.h5").exists()


@pytest.mark.parametrize("name", ["hessian", "sharpness", "surface"])
def test_several_checkpoints_get_an_axis_and_open_labelled(name, command, checkpoint, pruned, tmp_path):
    target = tmp_path / "both.h5"
    status, found, _ = command(name, checkpoint, pruned, "--samples", "40", *QUICK[name], "-o", target)
    assert status == 0
    assert len(found["sha256"]) == len(found["gradient_norm"]) == 2
    with xarray.open_dataset(target, engine="h5netcdf", group=name) as data:
        array = {"hessian": "eigenvalues", "sharpness": "sam_values", "surface": "accuracy"}[name]
        dims = {"hessian": ("rank",), "sharpness": ("sam_setting",), "surface": ("alpha", "beta")}[name]
        assert data[array].dims == ("checkpoint", *dims)
        assert not np.isnan(data[array]).any()


def test_hessian_of_a_pruned_network(command, pruned, tmp_path):
    subject = load_subject(pruned, samples=30)
    dense = Dense(subject.model, subject.x, subject.y, subject.masks)
    for subspace in ("survivors", "full"):
        target = tmp_path / f"{subspace}.h5"
        _, found, _ = command(
            "hessian", pruned, "--samples", "30", "--subspace", subspace, "--trace", "60", "-o", target
        )
        hessian = dense.hessian(subspace)
        expected = torch.linalg.eigvalsh(hessian).flip(0)[:5]
        np.testing.assert_allclose(found["eigenvalues"], expected, rtol=1e-3)
        assert max(found["residuals"]) <= 1e-3**0.5  # the error is below r^2 / gap
        assert found["passes"] > 0
        assert abs(found["trace"]["value"] - hessian.trace()) < 3 * found["trace"]["stderr"]
        assert found["gradient_norm"] == pytest.approx(dense.gradient(subspace).norm().item(), rel=1e-4)


def test_hessian_by_magnitude(command, checkpoint):
    subject = load_subject(checkpoint, samples=30)
    values = torch.linalg.eigvalsh(Dense(subject.model, subject.x, subject.y).hessian())
    largest = values[values.abs().argsort(descending=True)[:20]].sort(descending=True).values
    _, found, _ = command("hessian", checkpoint, "--samples", "30", "--by", "magnitude", "--top", "20")
    np.testing.assert_allclose(found["eigenvalues"], largest, rtol=1e-3)
    assert min(found["eigenvalues"]) < 0


def test_sharpness_in_the_file_is_that_of_the_object(command, pruned):
    _, found, _ = command("sharpness", pruned, "--samples", "60", *QUICK["sharpness"])
    assert list(found["measures"]) == ["lambda_max", "sam", "trace"]
    assert found["measures"]["lambda_max"]["stderr"] is None
    assert found["measures"]["trace"]["stderr"] > 0
    assert {entry["invariant"] for entry in found["measures"].values()} == {"none"}
    sam = found["measures"]["sam"]
    assert (sam["steps"], sam["value"]) == (3, sam["values"]["p=2 rho=0.05"])
    with h5py.File(found["out"]) as file:
        assert file["sharpness/sam"][()] == sam["value"]
        assert file["sharpness/sam_course"].shape == (6, 4)
        assert np.isnan(file["sharpness/sam_stderr"])
        for dataset in file["sharpness"].values():
            assert dataset.attrs["units"]
            assert dataset.attrs["long_name"]


def test_a_slope_is_no_minimum(command, checkpoint):
    _, table, _ = command("sharpness", checkpoint, "--samples", "60", "--measures", "lambda_max", as_json=False)
    assert "not the curvature of a minimum" in table  # initial weights


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("hessian", ["--top", "0"], "--top 0"),
        ("hessian", ["--top", "100000"], "--top 100000"),
        ("hessian", ["--trace", "-1"], "--trace"),
        ("hessian", ["--tolerance", "0"], "--tolerance"),
        ("sharpness", ["--measures", "flatness"], "known are adaptive_average"),
        ("sharpness", ["--trace.probes", "0"], "--trace.probes 0"),
        ("sharpness", ["--sam.rho", "0.1", "-1"], "--sam.rho 0.1 -1"),
        ("sharpness", ["--filter-normalised.grid", "10"], "odd number"),
        ("surface", ["--grid", "5x"], "--grid 5x"),
        ("surface", ["--grid", "1"], "--grid 1"),
        ("surface", ["--extent", "0"], "--extent"),
        ("path", ["--points", "3"], "two checkpoints"),
    ],
)
def test_bad_values_are_one_clear_error(name, arguments, words, command, checkpoint, tmp_path):
    status, _, err = command(name, checkpoint, "--samples", "20", *arguments)
    assert status == 1
    assert words in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


def test_an_interrupted_sharpness_keeps_the_measures_it_took(command, checkpoint, tmp_path, monkeypatch):
    from landscape.sharpness.measures.sam import Sam
    from landscape.sharpness.measures.trace import Trace

    arguments = [checkpoint, "--samples", "40", *QUICK["sharpness"]]
    taken, measure = [], Trace.measure

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trace, "measure", interrupted)
        assert command("sharpness", *arguments, "-o", tmp_path / "stopped.h5")[0] == 130
    with monkeypatch.context() as patch:
        patch.setattr(Sam, "measure", interrupted)  # taken already: not asked for again
        patch.setattr(Trace, "measure", lambda self, *rest: taken.append(self.name) or measure(self, *rest))
        assert command("sharpness", *arguments, "-o", tmp_path / "stopped.h5")[0] == 0
    assert taken == ["trace"]
    command("sharpness", *arguments, "-o", tmp_path / "whole.h5")
    assert same_content(tmp_path / "stopped.h5", tmp_path / "whole.h5")


def test_what_a_measure_is_stands_beside_it(command, checkpoint, tmp_path):
    target = tmp_path / "x.h5"
    _, found, _ = command("sharpness", checkpoint, "--samples", "40", "--measures", "lambda_max,keskar", "-o", target)
    assert found["measures"]["lambda_max"]["converged"]
    with h5py.File(target) as file:
        assert file["sharpness/lambda_max_residual"][()] == found["measures"]["lambda_max"]["residual"] < 1e-3**0.5
        assert (file["sharpness/lambda_max"].attrs["units"], file["sharpness/keskar"].attrs["units"]) == ("nat", "%")
        assert file["sharpness/keskar"].attrs["invariant"] == "none"


def test_a_path_keeps_its_barrier_and_takes_a_subspace(command, checkpoint, pruned, tmp_path):
    target = tmp_path / "x.h5"
    _, found, _ = command("path", checkpoint, pruned, "--points", "3", "--subspace", "survivors", "-o", target)
    assert found["subspace"] == "survivors"
    with h5py.File(target) as file:
        assert file["path/barrier_loss"][()] == found["barrier"]["loss"]
        assert file["path/distance"][()] == found["distance"] > 0
