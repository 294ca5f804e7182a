"""`landscape.hessian --density`, `--trace-estimator`: the object, the file, the table, a stopped run."""

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense

from minima.store.hdf5.results import same_content
from minima.zoo.subject.subject import load_subject

QUICK = ["--samples", "30", "--density", "--density-probes", "3", "--density-steps", "12", "--trace", "12"]


def test_a_pruned_network_leaves_its_zeros_out(command, pruned, tmp_path):
    target = tmp_path / "x.h5"
    _, found, _ = command("hessian", pruned, *QUICK, "--top", "12", "-o", target)
    subject = load_subject(pruned, samples=30)
    dense = Dense(subject.model, subject.x, subject.y, subject.masks)
    density, kept = found["density"], len(dense.index("survivors"))
    assert np.trapezoid(density["values"], density["support"]) == pytest.approx(1, abs=1e-6)
    assert density["left_out_at_zero"] == pytest.approx(1 - kept / len(dense.w))
    assert (density["probes"], density["steps"], len(density["stderr"])) == (3, 12, len(density["support"]))
    values = torch.linalg.eigvalsh(dense.hessian())
    assert found["outliers"]["count"] == min(12, int((values > found["outliers"]["edge"]).sum()))
    assert found["outliers"]["classes"] == 10
    share = values.flip(0)[:10].sum() / found["trace"]["value"]
    assert found["outliers"]["top_share"] == pytest.approx(share.item(), rel=1e-3)
    with h5py.File(target) as file:
        np.testing.assert_array_equal(file["hessian/density"], density["values"])
        assert file["hessian/density_left_out"][()] == density["left_out_at_zero"]
        assert file["hessian/outlier_edge"][()] == found["outliers"]["edge"]
        assert file["hessian/outliers"][()] == found["outliers"]["count"]
        for dataset in file["hessian"].values():
            assert dataset.attrs["units"]
            assert dataset.attrs["long_name"]


def test_nothing_is_left_out_of_all_weights(command, pruned):
    _, found, _ = command("hessian", pruned, *QUICK, "--subspace", "full")
    assert found["density"]["left_out_at_zero"] == 0
    assert found["outliers"]["top_share"] is None  # five eigenvalues are known, there are ten classes


@pytest.mark.parametrize("name", ["hutchinson", "hutch++", "xtrace"])
def test_every_estimator_of_the_trace(name, command, checkpoint):
    arguments = ["--samples", "30", "--top", "1", "--trace", "60", "--trace-estimator", name]
    _, found, _ = command("hessian", checkpoint, *arguments)
    subject = load_subject(checkpoint, samples=30)
    exact = Dense(subject.model, subject.x, subject.y).hessian().trace().item()
    assert found["trace"]["estimator"] == name
    assert abs(found["trace"]["value"] - exact) < 3.5 * found["trace"]["stderr"]


def test_the_table_says_it_in_words(command, checkpoint, pruned):
    _, table, _ = command("hessian", checkpoint, *QUICK, "--top", "12", as_json=False)
    assert "density: the bulk ends at" in table
    assert "eigenvalues beyond it, 10 classes; the top 10 sum to" in table
    assert "left out" not in table
    _, table, _ = command("hessian", pruned, *QUICK, as_json=False)
    assert "removed weights, an atom of" in table


def test_several_checkpoints(command, checkpoint, pruned, tmp_path):
    _, found, _ = command("hessian", checkpoint, pruned, *QUICK, "-o", tmp_path / "both.h5")
    assert len(found["density"]) == len(found["outliers"]) == 2


def test_a_stopped_run_goes_on(command, checkpoint, tmp_path, monkeypatch):
    from landscape.spectrum import density, lanczos

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(density, "spectral_density", interrupted)
        assert command("hessian", checkpoint, *QUICK, "-o", tmp_path / "stopped.h5")[0] == 130
    with monkeypatch.context() as patch:
        patch.setattr(lanczos, "top_eigenpairs", interrupted)  # taken already
        assert command("hessian", checkpoint, *QUICK, "-o", tmp_path / "stopped.h5")[0] == 0
    command("hessian", checkpoint, *QUICK, "-o", tmp_path / "whole.h5")
    assert same_content(tmp_path / "stopped.h5", tmp_path / "whole.h5")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--density", "--density-probes", "0"], "--density-probes 0"),
        (["--density", "--density-steps", "0"], "--density-steps 0"),
        (["--trace", "2", "--trace-estimator", "hutch++"], "--trace 2: hutch++ takes at least 3 products"),
        (["--trace", "100000", "--trace-estimator", "xtrace"], "100000 products"),
    ],
)
def test_bad_values(arguments, words, command, checkpoint):
    status, _, err = command("hessian", checkpoint, "--samples", "20", *arguments)
    assert status == 1
    assert words in err
    assert "Traceback" not in err
