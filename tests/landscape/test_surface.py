"""Surfaces: coordinates, every point against a plain loop, and resumption after a kill."""

import os
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
import torch
from forks.python import python
from hypothesis import given
from hypothesis import strategies as st

from landscape.objective.directions import random_direction
from landscape.objective.flags import mean_loss
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.passes.pass_plan import PassPlan
from landscape.surface.grid import Grid, parse_grid
from minima.store.hdf5.results import same_content
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.subject.subject import load_subject


@given(st.integers(1, 60), st.floats(1e-3, 1e3))
def test_coordinates_are_exactly_symmetric(count, extent):
    values = Grid((count,), extent).coordinates(0)
    assert values == [-value for value in reversed(values)]
    assert (0.0 in values) == bool(count % 2)
    assert count == 1 or values[-1] == extent
    np.testing.assert_allclose(values, np.linspace(-extent, extent, count) if count > 1 else [0], atol=1e-12 * extent)


def test_shapes():
    assert parse_grid("7", 1).has_centre
    assert not parse_grid("7x4", 1).has_centre
    assert parse_grid("7x1", 1) == Grid((7,), 1)


def test_every_point_against_a_plain_loop(command, pruned):
    status, found, _ = command("surface", pruned, "--grid", "3x4", "--extent", "0.5", "--samples", "50")
    assert status == 0
    subject = load_subject(pruned, samples=50)
    objective = mean_loss(subject, "survivors")
    directions = [random_direction(objective, stream(0, "direction", axis)) for axis in (0, 1)]
    moves = [objective.coordinates.tensors(objective.coordinates.extend(d.vector)) for d in directions]
    start = {name: p.detach().clone() for name, p in subject.model.named_parameters()}
    with h5py.File(found["out"]) as file:
        loss, accuracy = file["surface/loss"][()], file["surface/accuracy"][()]
        assert file["surface/alpha"][()].tolist() == [-0.5, 0, 0.5]
        for i, alpha in enumerate(file["surface/alpha"]):
            for j, beta in enumerate(file["surface/beta"]):
                for name, p in subject.model.named_parameters():
                    p.data = (start[name].double() + alpha * moves[0][name] + beta * moves[1][name]).float()
                level = evaluate(subject.model, subject.x, subject.y)
                assert loss[i, j] == pytest.approx(level.loss, rel=1e-6)
                assert accuracy[i, j] == pytest.approx(level.accuracy)
        assert (found["loss_min"], found["loss_max"]) == (loss.min(), loss.max())
        assert file["surface/direction_norm"][()].tolist() == found["direction_norms"]
    assert (found["shape"], found["points"], found["forward_passes"]) == ([3, 4], 12, 13)
    assert found["loss_at_centre"] == found["loss"]  # no point of an even grid is the network itself


def test_a_line_with_the_network_in_its_middle(command, checkpoint):
    _, found, _ = command("surface", checkpoint, "--grid", "9x1", "--samples", "50", "--normalise", "layer")
    assert (found["shape"], found["forward_passes"], len(found["direction_norms"])) == ([9], 9, 1)
    with h5py.File(found["out"]) as file:
        assert file["surface/loss"].shape == (9,)
        assert file["surface/loss"][4] == found["loss_at_centre"] == pytest.approx(found["loss"], rel=1e-12)


def test_a_stopped_surface_goes_on_with_the_rows_that_are_missing(command, checkpoint, tmp_path, monkeypatch):
    arguments = ["surface", checkpoint, "--grid", "6x3", "--samples", "50"]
    command(*arguments, "-o", tmp_path / "whole.h5")
    evaluate_point, calls = Objective.evaluate, []

    def stopping(self, displacement=None, after=7):
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return evaluate_point(self, displacement)

    monkeypatch.setattr(Objective, "evaluate", stopping)
    assert command(*arguments, "-o", tmp_path / "stopped.h5")[0] == 130
    assert not (tmp_path / "stopped.h5").exists()
    calls.clear()
    monkeypatch.setattr(Objective, "evaluate", lambda self, d=None: stopping(self, d, after=100))
    assert command(*arguments, "-o", tmp_path / "stopped.h5")[0] == 0
    assert len(calls) == 4 * 3 + 1  # two rows were done; the centre lies between the points
    assert same_content(tmp_path / "whole.h5", tmp_path / "stopped.h5")


def test_killed_at_once_and_resumed_to_the_same_content(command, checkpoint, tmp_path):
    target = tmp_path / "killed.h5"
    # on a busy machine two runs may choose two plans, which differ in the last bits
    plan = str(PassPlan("folded module", 300, torch.get_num_threads()))
    arguments = [str(checkpoint), "--grid", "60x40", "--samples", "300", "--plan", plan]
    line = [python(), "-m", "landscape.surface", *arguments, "-o", str(target)]
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(6000):
        time.sleep(0.02)
        if any(part.stat().st_size > 10_000 for part in tmp_path.glob(".killed.h5.*.part")):  # of 60,000
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    assert list(tmp_path.glob(".killed.h5.*.part"))
    assert command("surface", *arguments, "-o", target)[0] == 0
    assert not list(tmp_path.glob(".*"))
    assert command("surface", *arguments, "-o", tmp_path / "whole.h5")[0] == 0
    assert same_content(target, tmp_path / "whole.h5")


def test_overflow_is_infinite_and_counted(command, checkpoint):
    flags = ["--grid", "3x1", "--extent", "1e30", "--samples", "20", "--maps", "per-class,gradient,curvature"]
    status, found, _ = command("surface", checkpoint, *flags)
    assert (status, found["not_finite"]) == (0, 2)
    assert found["loss_max"] == found["loss_at_centre"]  # of the finite ones
    with h5py.File(found["out"]) as file:
        assert torch.tensor(file["surface/loss"][()]).isinf().tolist() == [True, False, True]
        assert np.isinf(file["surface/class_loss"][:, 0]).any()
        for name in ("map_gradient_norm", "map_trace"):
            assert np.isnan(file[f"surface/{name}"][()]).tolist() == [True, False, True]
