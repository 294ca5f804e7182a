"""Curvature over training: batch sharpness against every batch, thresholds against the optimiser, the command."""

import itertools
import math

import h5py
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make

from landscape.objective.objective import Objective
from landscape.sharpness.measures.batch_sharpness import BatchSharpness
from landscape.stability.threshold import threshold
from minima.store.hdf5.results import same_content
from minima.train import main
from minima.zoo.data.holdout import holdout
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from minima.zoo.training.recipe import Recipe
from minima.zoo.training.update import Update

FEW = ["--batches", "4"]


def along_gradient(dense):
    g = dense.gradient()
    return (g @ dense.hessian() @ g / (g @ g)).item()


@pytest.mark.parametrize("kind", ["mlp", "masked"])
def test_the_mean_over_drawn_batches_is_that_over_all_batches(kind):
    case = make(kind)
    x, y = case.x[:6], case.y[:6]
    every = [
        along_gradient(Dense(case.model, x[list(batch)], y[list(batch)], case.masks))
        for batch in itertools.combinations(range(6), 2)
    ]
    objective = Objective(case.model, x, y, masks=case.masks)
    found = BatchSharpness(batch=2, batches=100).measure(objective, 1)
    assert abs(found.value - sum(every) / len(every)) < 3.5 * found.stderr
    one = BatchSharpness(batch=2, batches=1).measure(objective, 1).value
    assert min(abs(one - value) for value in every) < 1e-6
    whole = BatchSharpness(batch=6, batches=200).measure(objective, 0)
    assert whole.stderr is None
    assert whole.value == pytest.approx(along_gradient(Dense(case.model, x, y, case.masks)), rel=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.6, True)])
def test_beyond_the_threshold_the_optimiser_diverges(momentum, nesterov, decay):
    recipe = Recipe(momentum=momentum, nesterov=nesterov, weight_decay=decay)
    bound = threshold(recipe, 0.1)

    def distance(curvature):
        w = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
        update = Update(recipe, [w])
        for _ in range(2000):
            w.grad = (curvature - decay) * w.detach()
            update.step(0.1)
        return abs(w.item())

    assert distance(0.99 * bound) < 1e-3
    assert distance(1.01 * bound) > 1e3


@pytest.fixture
def train(tmp_path):
    """Train a small network on digits by the command and return its trajectory."""

    def run(name="net", recipe=None, **flags):
        flags = {"epochs": 2, "keep": 1} | flags
        main(Train(out=str(tmp_path / f"{name}.pt"), model="mlp:hidden=3", recipe=Recipe(**(recipe or {})), **flags))
        return tmp_path / f"{name}.trajectory.h5"

    return run


def test_every_moment_over_the_examples_trained_on(train, command, tmp_path):
    path = train(recipe={"schedule": "cosine", "lr": 0.4, "batch_size": 600, "momentum": 0.5})
    _, found, _ = command("stability", path, "--samples", "40", *FEW, "-o", tmp_path / "x.h5")
    steps = math.ceil(1293 / 600)
    assert (found["step"], found["update"]) == ([0, 1, 2], [0, steps, 2 * steps])
    assert found["learning_rate"] == pytest.approx([0.4, 0.2, 0])
    assert found["threshold"] == [pytest.approx(3 / 0.4), pytest.approx(3 / 0.2), None]
    subject = load_subject(path, 1, samples=40)
    used, _ = holdout(1437, 0.1, 0)
    used = torch.isin(subject.rows, used).nonzero().flatten()
    dense = Dense(subject.model, subject.x[used], subject.y[used])
    assert found["lambda_max"][1] == pytest.approx(torch.linalg.eigvalsh(dense.hessian())[-1].item(), rel=1e-3)
    assert found["loss"][1] == pytest.approx(dense.loss(dense.w).item(), rel=1e-6)
    assert found["batch_sharpness"][1] == pytest.approx(along_gradient(dense), rel=1e-4)
    assert found["samples"] == len(used) < 40
    with h5py.File(tmp_path / "x.h5") as file:
        assert list(file["stability/lambda_max"]) == found["lambda_max"]
        assert math.isinf(file["stability/threshold"][2])
        assert file.attrs["samples"][0] == len(used)
        for dataset in file["stability"].values():
            assert dataset.attrs["units"]
            assert dataset.attrs["long_name"]


def test_the_table_is_one_line_a_moment(train, command):
    path = train(recipe={"batch_size": 8, "momentum": 0.0}, epochs=1, keep=60, keep_unit="step")
    _, table, _ = command("stability", path, "--samples", "40", *FEW, as_json=False)
    lines = table.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["0", "60", "120"]
    assert all(line.endswith("20") for line in lines[2:5])  # 2 / lr


@pytest.mark.parametrize(
    ("recipe", "words"), [({"optimiser": "adam", "lr": 1e-3}, "adam"), ({"schedule": "plateau"}, "validation losses")]
)
def test_no_threshold_without_a_reason(recipe, words, train, command):
    path = train(recipe=recipe, epochs=1)
    _, found, _ = command("stability", path, "--samples", "20", *FEW)
    assert found["threshold"] == [None, None]
    assert all(value > 0 for value in found["lambda_max"])
    _, table, _ = command("stability", path, "--samples", "20", *FEW, as_json=False)
    assert "There is no threshold: " in table
    assert words in table.splitlines()[-1]


def test_a_stopped_run_goes_on_to_the_same_file(train, command, tmp_path, monkeypatch):
    path, whole, taken = train(), BatchSharpness.measure, []

    def second_is_stopped(*arguments):
        if len(taken) == 1:
            raise KeyboardInterrupt
        taken.append(1)
        return whole(*arguments)

    arguments = [path, "--samples", "20", *FEW, "-o"]
    with monkeypatch.context() as patch:
        patch.setattr(BatchSharpness, "measure", second_is_stopped)
        assert command("stability", *arguments, tmp_path / "stopped.h5")[0] == 130
    assert command("stability", *arguments, tmp_path / "stopped.h5")[0] == 0
    command("stability", *arguments, tmp_path / "whole.h5")
    assert same_content(tmp_path / "stopped.h5", tmp_path / "whole.h5")


def test_what_is_refused(train, command, checkpoint):
    status, _, err = command("stability", checkpoint)
    assert (status, "--keep" in err) == (1, True)
    path = train("other")
    for flags, words in ((["--split", "test"], "--split test"), (["--batches", "0"], "--batches")):
        status, _, err = command("stability", path, *flags)
        assert (status, words in err) == (1, True)
