"""What `landscape.hessian` finds beside the largest eigenvalues, against the dense Hessian."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense

from landscape.objective.flags import mean_loss
from landscape.spectrum.eigenvectors import read
from minima.zoo.subject.subject import load_subject

FEW = ("--samples", "60", "--tolerance", "1e-5")


def dense(path, samples=60):
    subject = load_subject(path, samples=samples)
    model = subject.model.double()
    return Dense(model, subject.x.double(), subject.y, subject.masks).hessian()


def test_both_ends_and_the_eigenvectors(command, pruned, tmp_path):
    status, found, _ = command("hessian", pruned, "--top", "3", "--bottom", "2", *FEW)
    assert status == 0
    matrix = dense(pruned)
    values = torch.linalg.eigvalsh(matrix).flip(0).numpy()
    np.testing.assert_allclose(found["eigenvalues"], values[:3], rtol=1e-4)
    np.testing.assert_allclose(found["bottom_eigenvalues"], values[::-1][:2], rtol=1e-3, atol=1e-6)
    coordinates = mean_loss(load_subject(pruned), "survivors").coordinates
    vectors = read(Path(found["out"]), coordinates)
    np.testing.assert_allclose((vectors @ matrix).numpy(), vectors.numpy() * values[:3, None], atol=2e-3 * values[0])
    with h5py.File(found["out"]) as file:
        stored = file["hessian/eigenvectors"]
        assert stored.shape == (3, len(coordinates.full))
        assert not stored[:, ~coordinates.kept.numpy()].any()


def test_layers_traces_and_the_diagonal_come_from_the_same_probes(command, pruned):
    status, found, _ = command("hessian", pruned, "--trace", "400", "--diagonal", *FEW)
    assert status == 0
    matrix, coordinates = dense(pruned), mean_loss(load_subject(pruned), "survivors").coordinates
    parts = matrix.diag().split(list(coordinates.sizes.values()))
    exact = dict(zip(coordinates.sizes, [part.sum().item() for part in parts], strict=True))
    assert sum(layer["trace"] for layer in found["layer_traces"]) == pytest.approx(found["trace"]["value"])
    for layer in found["layer_traces"]:
        expected = sum(value for name, value in exact.items() if name.rpartition(".")[0] == layer["name"])
        assert abs(layer["trace"] - expected) < 4 * layer["stderr"] + 1e-9
    with h5py.File(found["out"]) as file:
        diagonal, error = (
            file[f"hessian/{name}"][coordinates.kept.numpy()] for name in ("diagonal", "diagonal_stderr")
        )
    misses = np.abs(diagonal - matrix.diag().numpy()) > 4 * error + 1e-6
    assert misses.mean() < 0.01


def test_warm_starts_find_the_same_with_fewer_products(command, pruned, tmp_path):
    cold = command("hessian", pruned, "--samples", "200", "-o", tmp_path / "cold.h5")[1]
    warm = command("hessian", pruned, "--samples", "200", "--warm-start", cold["out"], "-o", tmp_path / "warm.h5")[1]
    some = command("hessian", pruned, "--samples", "200", "--warm-samples", "50", "-o", tmp_path / "some.h5")[1]
    for found in (warm, some):
        np.testing.assert_allclose(found["eigenvalues"], cold["eigenvalues"], rtol=1e-3)
    assert warm["products"] < cold["products"]
    assert some["warm_products"] > 0


def test_eigenvectors_of_another_network_are_refused(command, another, pruned, tmp_path):
    other = another("other.pt", model="mlp:hidden=5")
    made = command("hessian", other, "--samples", "50", "-o", tmp_path / "other.h5")[1]
    status, _, said = command("hessian", pruned, "--warm-start", made["out"])
    assert status == 1
    assert "holds eigenvectors" in said
    dropped = command("hessian", pruned, "--eigenvectors", "drop", "--samples", "50", "-o", tmp_path / "none.h5")[1]
    status, _, said = command("hessian", pruned, "--warm-start", dropped["out"])
    assert status == 1
    assert "holds no eigenvectors" in said


def test_a_small_memory_changes_nothing_but_the_work(command, pruned, tmp_path):
    whole = command("hessian", pruned, "--samples", "100", "-o", tmp_path / "whole.h5")[1]
    little = command("hessian", pruned, "--samples", "100", "--memory", "0", "-o", tmp_path / "little.h5")[1]
    np.testing.assert_allclose(little["eigenvalues"], whole["eigenvalues"], rtol=1e-3)
    assert command("hessian", pruned, "--samples", "100", "--memory", "1", "-o", tmp_path / "whole.h5")[1]["reused"]


def test_refusals_name_the_flag_before_any_work(command, pruned, tmp_path):
    for flags, expected in (
        (["--top", "3", "--bottom", "100000"], "--top 3 --bottom 100000"),
        (["--trace", "2", "--trace-estimator", "hutch++"], "--trace 2: hutch++ takes at least 3 products"),
        (["--diagonal"], "--diagonal is estimated from Hutchinson's probes: add --trace N"),
        (["--warm-samples", "100000"], "--warm-samples 100000"),
        (["--memory", "-1"], "--memory -1"),
    ):
        status, _, said = command("hessian", pruned, *flags, "-o", tmp_path / "refused.h5")
        assert status == 1
        assert expected in said
        assert not list(tmp_path.glob("*refused*"))
