"""`python -m pruning.tuning`: the grid, the objective, and that the network is left alone."""

import pytest
import tyro

from minima.store.command import BadInput
from minima.store.reading import sha256
from minima.train import main as train
from minima.zoo.training.flags import Train
from pruning.tuning.__main__ import main
from pruning.tuning.flags import Tuning
from pruning.tuning.search import GRID, Trial, objective, points


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
    assert one["best"] in [each["settings"] for each in one["trials"]]
    with pytest.raises(BadInput, match="--share 2"):
        tune(path, "--share", 2)
    with pytest.raises(BadInput, match="--trials 217"):
        tune(path, "--trials", 217)
