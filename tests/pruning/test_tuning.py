"""`python -m pruning.tuning`: the grid, the objective, and that the network is left alone."""

import shlex
from pathlib import Path

import pytest
import torch
import tyro
from torch import nn

from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.train import main as train
from minima.zoo.data.splits import Splits
from minima.zoo.subject.handed import subject_of
from minima.zoo.training.flags import Train
from pruning.composition.method import methods
from pruning.running.arguments import arguments_of
from pruning.tuning.__main__ import main
from pruning.tuning.flags import Tuning
from pruning.tuning.report import Choice, choose, command, verdict
from pruning.tuning.search import GRID, Search, Trial, objective, points


def tune(*words):
    return main(tyro.cli(Tuning, args=[str(word) for word in words])).summary


def test_the_grid_is_that_of_the_paper_and_points_are_drawn_once():
    whole = points(216, 0)
    assert len({tuple(each.values()) for each in whole}) == 216
    assert points(6, 0) == points(6, 0) != points(6, 1)
    assert all(each[name] in GRID[name] for each in whole for name in GRID)


def test_slow_runs_are_not_rewarded_as_by_the_published_objective():
    reference, slow, quick = Trial({}, 100, 0.02), Trial({}, 200, 0.02), Trial({}, 50, 0.02)
    assert objective(slow, reference, 1e-3) == 3
    assert objective(quick, reference, 1e-3) == 1.5
    assert objective(Trial({}, 0, -0.5), reference, 1e-3) == 0


def test_the_own_settings_stay_where_no_point_is_better():
    own = Trial({}, 2, 0.0)
    found = choose(own, [Trial({"lr": 0.1}, 2, 0.12), Trial({"lr": 0.2}, 2, 0.11)], 0.01)
    assert found == Choice(0, (), ())
    assert verdict(found, 2) == "none of the 2 is better than the method's own settings"
    gained = [Trial({}, 40, fall) for fall in (0.01, -0.05, -0.08, -0.02, -0.08)]
    said = verdict(choose(Trial({}, 40, -0.03), gained, 0.01), 5)
    assert said.splitlines() == [
        "trial 3 is best; of the same objective: the method's own settings and trials 2, 4, 5",
        "of these the score has risen most, or fallen least, with trials 3, 5",
        "trials 3, 5 came to the same: the first is taken",
    ]


def test_the_line_that_is_printed_can_be_typed():
    asked = tyro.cli(Tuning, args=["a b.pt", "--model", "n.py:f", "--data", "digits", "--validation", "0.1"])
    line = shlex.split(command(asked, {"threshold": 0.5, "lr": 0.001}))
    assert line[:4] == ["python", "-m", "pruning", "ice-filters"]
    typed = tyro.cli(arguments_of(methods()["ice-filters"]), args=line[4:])
    assert (typed.checkpoint, typed.out, typed.model) == (Path("a b.pt"), "a b.ice-filters.pt", "n.py:f")
    assert (typed.units, typed.validation, typed.epochs) == ((0.5,), 0.1, 20)
    assert (typed.method.threshold, typed.recipe.given()) == (0.5, {"lr": 0.001})


def test_the_flag_that_single_weights_need_is_named():
    with pytest.raises(BadInput, match="--measure sparsity"):
        tune("none.pt", "--method", "ice", "--amount", 0.5)


def test_runs_are_whole_repeatable_and_leave_the_file_alone(tmp_path):
    path = tmp_path / "net.pt"
    words = ["--model", "mlp:hidden=8x6", "--data", "digits", "--epochs", "1", "-o", str(path)]
    train(tyro.cli(Train, args=words))
    before = sha256(path)
    flags = (path, "--trials", 2, "--share", 0.05, "--epochs", 3)
    one, two = tune(*flags), tune(*flags)
    assert one == two
    assert sha256(path) == before
    assert one["examples"] == round(0.05 * 1293)
    runs = [one["own"], *one["trials"]]
    assert one["best"] == runs[one["best_trial"]]["settings"]
    assert one["held_out"] == 144
    assert one["best_trial"] not in one["tied"]
    with pytest.raises(BadInput, match="--share 2"):
        tune(path, "--share", 2)
    with pytest.raises(BadInput, match="--trials 217"):
        tune(path, "--trials", 217)


def test_falls_of_another_score_are_not_weighed_as_if_of_accuracy():
    subject = subject_of(nn.Linear(3, 1), (torch.randn(20, 3), torch.randn(20, 1)), "mse")
    splits = Splits(
        train=(subject.x, subject.y), validation=(subject.x, subject.y), test=(subject.x, subject.y), task=subject.task
    )
    with pytest.raises(BadInput, match="falls of accuracy, and the score here is r2"):
        Search(subject, splits, "ice", 0.5, "sparsity", 1)
