"""Sharpness over a subset of single weights: closed forms of a quadratic, draws, files, and the commands."""

import json

import h5py
import numpy as np
import pytest
import torch
import tyro
from oracles.quadratic import Quadratic
from torch import nn

from landscape import measure_sharpness, top_eigenvalues
from landscape.hessian.__main__ import main as hessian
from landscape.hessian.flags import Hessian
from landscape.objective.objective import Objective
from landscape.objective.subsets.drawn import drawn_subset
from landscape.sharpness.__main__ import main as sharpness
from landscape.sharpness.flags import flags
from landscape.sharpness.measures.gradient_step import GradientStep
from landscape.sharpness.measures.lambda_max import LambdaMax
from landscape.sharpness.measures.sam import Sam
from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.train import main as train
from minima.zoo.training.flags import Train

SUBSET = torch.tensor([[True, False, True, True, False, False]])


def over_subset(matrix, slope=None):
    model = Quadratic(matrix, slope=slope)
    data = torch.zeros(4, 1), torch.zeros(4)
    return Objective(model, *data, loss=lambda out, _: out, moving={"weight": SUBSET})


@pytest.fixture
def matrix():
    root = torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return root @ root.T


def test_at_a_minimum_it_is_half_rho_squared_lambda_max_of_the_block(matrix):
    objective = over_subset(matrix)
    block = matrix[SUBSET[0]][:, SUBSET[0]]
    largest = torch.linalg.eigvalsh(block)[-1].item()
    rho = (0.1, 0.5)
    found = Sam(rho=rho, rho_infinity=(1e-3,), steps=60).measure(objective, seed=0)
    for radius in rho:
        assert found.values[f"p=2 rho={radius:g}"] == pytest.approx(radius**2 * largest / 2, rel=1e-3)
    assert LambdaMax().measure(objective, seed=0).value == pytest.approx(largest, rel=1e-3)
    assert objective.dimension == 3


def test_on_a_slope_it_is_rho_times_the_gradient_of_the_subset():
    slope = torch.arange(1.0, 7)
    norm = slope[SUBSET[0]].norm().item()
    objective = over_subset(torch.zeros(6, 6), slope)
    assert Sam(rho=(0.2,)).measure(objective, seed=0).value == pytest.approx(0.2 * norm)
    step = GradientStep(rho=(0.2,)).measure(objective, seed=0)
    assert step.value == pytest.approx(0.2 * norm)
    assert step.values["first order rho=0.2"] == pytest.approx(0.2 * norm)


def test_one_step_of_a_slope_with_curvature(matrix):
    slope = torch.arange(1.0, 7).double()
    own = torch.where(SUBSET[0], slope, 0.0)
    way = 0.3 * own / own.norm()
    step = GradientStep(rho=(0.3,)).measure(over_subset(matrix, slope), seed=0)
    assert step.value == pytest.approx((slope @ way + way @ matrix @ way / 2).item())


def test_a_drawn_subset_is_of_survivors_and_nested():
    net = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 4, bias=False))
    mask = torch.arange(30).reshape(5, 6) % 2 == 0
    few, more = (drawn_subset(net, {"0.weight": mask}, count, 3) for count in (10, 20))
    assert [sum(int(each.sum()) for each in drawn.values()) for drawn in (few, more)] == [10, 20]
    assert all(not (few[name] & ~more[name]).any() for name in few)
    assert not few["0.weight"][~mask].any()
    assert not any(few[name].any() for name in ("0.bias", "1.weight", "1.bias"))
    assert any(not torch.equal(few[name], other) for name, other in drawn_subset(net, {}, 10, 4).items())
    assert drawn_subset(net, {}, 50, 0)["2.weight"].all()
    with pytest.raises(BadInput, match="expected 1 to 35"):
        drawn_subset(net, {"0.weight": mask}, 36, 0)


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    path = tmp_path_factory.mktemp("dense") / "d.pt"
    train(Train(model="mlp:hidden=6", epochs=1, out=str(path)))
    return path


def test_the_commands_and_the_functions_agree(dense, tmp_path):
    words = [str(dense), "--samples", "first:60", "--split", "test"]
    asked = [*words, "--subset", "40", "--subset-seed", "2", "--measures", "gradient_step,lambda_max"]
    report = sharpness(tyro.cli(flags(), args=[*asked, "-o", str(tmp_path / "s.h5")]))
    assert report.summary["dimension"] == report.summary["subset"] == 40
    assert "a subset of 40 single weights" in report.table
    from minima.zoo.subject.subject import load_subject

    subject = load_subject(dense, split="test", samples="first:60")
    moving = drawn_subset(subject.model, {}, 40, 2)
    np.savez(tmp_path / "k.npz", **{name: each.numpy() for name, each in moving.items()})
    asked = [*words, "--subset-file", str(tmp_path / "k.npz"), "--top", "1", "-o", str(tmp_path / "h.h5")]
    again = hessian(tyro.cli(Hessian, args=asked))
    largest = report.summary["measures"]["lambda_max"]["value"]
    assert again.summary["eigenvalues"][0] == pytest.approx(largest, rel=2e-3)
    data = (subject.x, subject.y)
    assert top_eigenvalues(subject.model, data, k=1, moving=moving).values[0] == pytest.approx(largest, rel=2e-3)
    found = measure_sharpness(subject.model, data, measures=["gradient_step"], moving=moving)
    assert found["gradient_step"].value == pytest.approx(report.summary["measures"]["gradient_step"]["value"])
    assert found.dimension == 40


def test_results_of_before_are_still_recognised(dense, tmp_path):
    words = [str(dense), "--samples", "first:60", "--measures", "gradient_step", "-o", str(tmp_path / "s.h5")]
    sharpness(tyro.cli(flags(), args=words))
    with h5py.File(tmp_path / "s.h5") as file:
        assert not [name for name in json.loads(file.attrs["arguments"]) if name.startswith("subset")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--subset", "0"], "--subset 0: expected 1 to 444"),
        (["--subset", "5", "--subset-file", "x.npz"], "name one"),
        (["--subset-file", "missing.npz"], "expected an .npz"),
        (["--subset-file", "other.npz"], "no parameter nothing"),
        (["--subset-file", "shape.npz"], "expected bool of shape"),
        (["--subset-file", "empty.npz"], "no weight is chosen"),
    ],
)
def test_what_is_refused(dense, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    np.savez("other.npz", nothing=np.ones(3, bool))
    (name, weight), *_ = load(dense).state.items()
    np.savez("shape.npz", **{name: np.ones(3, bool)})
    np.savez("empty.npz", **{name: np.zeros(tuple(weight.shape), bool)})
    with pytest.raises(BadInput, match=said):
        sharpness(tyro.cli(flags(), args=[str(dense), "--measures", "gradient_step", *words, "-o", "y.h5"]))
