"""`landscape.hessian --operator`, `--per-layer`, `--layers` against dense matrices: the object, the table, the file."""

import re

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense

from landscape.hessian import work
from landscape.objective.objective import Objective
from landscape.spectrum.operators.mc_fisher import draw_labels
from minima.zoo.subject.subject import load_subject

QUICK = ["--samples", "30", "--top", "3"]


def dense_of(path, seed=0):
    subject = load_subject(path, samples=30, seed=seed)
    return subject, Dense(subject.model, subject.x, subject.y, subject.masks)


def monte_carlo(subject, dense):
    labels = draw_labels(Objective(subject.model, subject.x, subject.y, masks=subject.masks), 2, seed=5)
    return sum(dense.fisher(drawn) for drawn in labels) / 2


MATRICES = {
    "hessian": lambda _, dense: dense.hessian(),
    "ggn": lambda _, dense: dense.ggn(),
    "empirical-fisher": lambda _, dense: dense.fisher(),
    "mc-fisher": monte_carlo,
    "gradient-covariance": lambda _, dense: torch.cov(dense.gradients().T, correction=0),
}


@pytest.mark.parametrize("operator", MATRICES)
def test_eigenvalues_and_trace_are_those_of_the_dense_matrix(operator, command, pruned, tmp_path):
    matrix = MATRICES[operator](*dense_of(pruned, seed=5))
    target = tmp_path / "x.h5"
    arguments = [pruned, *QUICK, "--operator", operator, "--trace", "60", "--seed", "5", "-o", target]
    _, found, _ = command("hessian", *arguments, "--draws", "2")
    assert found["operator"] == operator
    assert found.get("draws") == (2 if operator == "mc-fisher" else None)
    np.testing.assert_allclose(found["eigenvalues"], torch.linalg.eigvalsh(matrix).flip(0)[:3], rtol=1e-3)
    assert max(found["residuals"]) <= 1e-3**0.5  # the error is below r^2 / gap
    assert abs(found["trace"]["value"] - matrix.trace()) < 3 * found["trace"]["stderr"]
    with h5py.File(target) as file:
        assert file["hessian"].attrs["operator"] == operator
        np.testing.assert_array_equal(file["hessian/eigenvalues"], found["eigenvalues"])


def test_another_operator_is_another_result(command, checkpoint, tmp_path):
    target = tmp_path / "x.h5"
    _, table, _ = command("hessian", checkpoint, *QUICK, "--operator", "ggn", "-o", target, as_json=False)
    assert "Gauss-Newton eigenvalue" in table
    status, _, err = command("hessian", checkpoint, *QUICK, "-o", target)
    assert status == 1
    assert "operator was ggn, is hessian now" in err


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_each_layer_s_block(operator, command, pruned, tmp_path):
    subject, dense = dense_of(pruned)
    matrix = MATRICES[operator](subject, dense)
    sizes = Objective(subject.model, subject.x, subject.y, masks=subject.masks).coordinates.sizes
    ends = np.cumsum([0, *sizes.values()])
    target = tmp_path / "x.h5"
    _, found, _ = command("hessian", pruned, *QUICK, "--operator", operator, "--per-layer", "-o", target)
    names = list(dict.fromkeys(name.rpartition(".")[0] for name in sizes))
    assert [layer["name"] for layer in found["layers"]] == names
    for position, layer in enumerate(found["layers"]):
        block = slice(ends[2 * position], ends[2 * position + 2])  # weight and bias
        expected = matrix[block, block]
        assert layer["dimension"] == len(expected)
        assert layer["eigenvalue"] == pytest.approx(torch.linalg.eigvalsh(expected)[-1].item(), rel=1e-3)
        assert abs(layer["trace"] - expected.trace()) < 4 * layer["trace_stderr"]
    with h5py.File(target) as file:
        values = [layer["eigenvalue"] for layer in found["layers"]]
        np.testing.assert_array_equal(file["hessian/layer_eigenvalue"], values)
        assert [name.decode() for name in file["hessian/layer"]] == names
        assert all(file[f"hessian/layer_{key}"].attrs["units"] for key in ("trace", "residual", "dimension"))


def test_named_layers_and_what_is_not_there(command, checkpoint, tmp_path, monkeypatch):
    names = [name for name, _ in load_subject(checkpoint).model.named_parameters()]
    layer = names[0].rpartition(".")[0]
    _, found, _ = command("hessian", checkpoint, *QUICK, "--layers", layer, names[1], "-o", tmp_path / "x.h5")
    assert [each["name"] for each in found["layers"]] == [layer, names[1]]
    assert found["layers"][0]["eigenvalue"] >= found["layers"][1]["eigenvalue"]
    _, table, _ = command("hessian", checkpoint, *QUICK, "--layers", layer, names[1], as_json=False)
    assert names[1] in table
    with monkeypatch.context() as patch:  # before the first product
        patch.setattr(Objective, "hvp", lambda *_: pytest.fail("a product"))
        patch.setattr("landscape.objective.flags.slope", lambda *_: (1.0, torch.ones(1), torch.ones(1)))
        status, _, err = command("hessian", checkpoint, *QUICK, "--layers", "conv9", "-o", tmp_path / "y.h5")
    assert status == 1
    assert "--layers conv9: the network has no trainable parameter or module of this name" in err
    status, _, err = command("hessian", checkpoint, *QUICK, "--draws", "0", "-o", tmp_path / "y.h5")
    assert status == 1
    assert "--draws 0" in err
    assert not (tmp_path / "y.h5").exists()


def test_flags_that_say_something_of_another_one_only(command, checkpoint, tmp_path):
    flags = ["--draws", "2", "--trace-estimator", "xtrace", "--density-steps", "9"]
    status, _, err = command("hessian", checkpoint, *QUICK, *flags, "-o", tmp_path / "x.h5")
    assert status == 0
    assert "--draws 2 is for --operator mc-fisher: it changes nothing here" in err
    assert "--trace-estimator xtrace is for --trace N" in err
    assert "--density-steps 9 is for --density" in err


@pytest.mark.parametrize("flags", [["--trace", "12", "--trace-estimator", "xtrace"], ["--density"]])
def test_what_keeps_more_vectors_than_there_is_memory_for_is_refused(flags, command, checkpoint, tmp_path):
    """With as much as it names it is done."""
    words = ["hessian", checkpoint, *QUICK, *flags, "-o", tmp_path / "x.h5"]
    status, _, err = command(*words, "--memory", "0")
    found = re.search(r"keeps (\d+) vectors of [\d,]+ weights, .* GiB,.*\n.*Type --memory (\S+), or fewer", err)
    assert (status, int(found[1])) == (1, 42 if "--trace" in flags else 80)
    assert not (tmp_path / "x.h5").exists()
    assert command(*words, "--memory", found[2])[0] == 0


def test_errors_of_examples_by_the_products_that_were_taken_are_those_by_products_of_their_own(
    command, checkpoint, tmp_path, monkeypatch
):
    """In batches of a block's size the products tell them; in one batch they take products of their own."""
    own = []
    plain = work.data_error
    monkeypatch.setattr(work, "data_error", lambda *args, **kwargs: own.append(args) or plain(*args, **kwargs))
    line = ("hessian", checkpoint, "--samples", "103", "--top", "3", "--bottom", "1")
    _, told, _ = command(*line, "--batch-size", "5", "-o", tmp_path / "told.h5")
    assert not own
    _, apart, _ = command(*line, "--batch-size", "103", "-o", tmp_path / "apart.h5")
    assert len(own) == 1
    for key in ("eigenvalues", "data_stderr_new", "bottom_data_stderr_new"):
        assert told[key] == pytest.approx(apart[key], rel=1e-2)
