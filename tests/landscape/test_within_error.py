"""Surfaces to a given error: the interpolation, its spread, the promise, and what a stopped run leaves."""

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator

from landscape.objective.objective import Objective
from landscape.surface.estimate.kriging import krige
from landscape.surface.estimate.multilevel import HELD_OUT, Multilevel, spread_out
from landscape.surface.estimate.nat_or_relative import allowed, compress, expand
from minima.store.hdf5.results import same_content

AXIS = np.linspace(-1, 1, 31)
PLACES = np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"), -1).reshape(-1, 2)


def rough(seed, waves=12):
    """A bowl with waves on it, of unlike wavelengths in the two halves of the plane."""
    draw = np.random.default_rng(seed)
    wave = sum(np.sin(PLACES @ draw.normal(0, 6, 2) + draw.uniform(0, 6)) for _ in range(waves))
    return 3 * (PLACES**2).sum(1) + 0.05 * wave * (PLACES[:, 0] > 0)


def known_of(seed, count):
    return np.random.default_rng(seed).choice(len(PLACES), count, replace=False)


@pytest.mark.parametrize("axes", [1, 2])
def test_values_are_those_of_scipy(axes):
    places = PLACES[:, :axes] if axes == 2 else AXIS[:, None]
    known = np.random.default_rng(0).choice(len(places), 20, replace=False)
    values = np.sin(3 * places[known].sum(1))
    expected = RBFInterpolator(places[known], values, kernel="cubic", degree=1)(places)
    np.testing.assert_allclose(krige(places, known, values).values, expected, rtol=1e-6, atol=1e-8)


def test_spread_scales_with_the_values_and_ignores_a_plane():
    known, values = known_of(1, 60), rough(1)
    found = krige(PLACES, known, values[known])
    larger = krige(PLACES, known, 10 * values[known] + 5 + 3 * PLACES[known, 0])
    np.testing.assert_allclose(larger.spread, 10 * found.spread, rtol=1e-5)
    assert found.spread[known].max() == 0


def test_residuals_are_those_of_leaving_each_point_out():
    known, values = known_of(2, 12), rough(2)
    found = krige(PLACES, known[:-1], values[known[:-1]])
    own = PLACES[known]
    radii = np.linalg.norm(own[:, None] - own[None], axis=-1) ** 3
    trend = np.hstack([np.ones((12, 1)), own])
    inverse = np.linalg.inv(np.block([[radii, trend], [trend.T, np.zeros((3, 3))]]))
    residual = (inverse[:12, :12] @ values[known])[-1] / inverse[11, 11]
    assert residual == pytest.approx(values[known[-1]] - found.values[known[-1]], rel=1e-6)


def test_spread_is_larger_where_the_field_is_rough():
    known, values = known_of(3, 200), rough(3)
    found, smooth = krige(PLACES, known, values[known]), PLACES[:, 0] < -0.3
    error = np.abs(found.values - values)
    assert np.median(found.spread[~smooth & (PLACES[:, 0] > 0.3)]) > 5 * np.median(found.spread[smooth])
    unknown = np.setdiff1d(np.arange(len(PLACES)), known)
    assert 0.2 < np.median(error[unknown] / found.spread[unknown]) < 1


@given(st.floats(0, 1e30))
def test_the_scale_and_back(loss):
    assert expand(compress(np.array(loss))) == pytest.approx(loss, rel=1e-9, abs=1e-12)


@given(st.floats(0, 1e6), st.floats(1e-3, 0.05))
def test_what_is_allowed_on_the_scale_is_what_was_asked(loss, error):
    value = compress(np.array(loss))
    off = expand(value + allowed(error, value)) - loss
    assert off == pytest.approx(error * max(loss, 1), rel=2 * error)


def asked(field, levels, seed, error=0.02):
    """A field known by levels, each noisier than the next; what was asked of each, and the estimate."""
    draw = np.random.default_rng(seed)
    noise = [0.3 * draw.normal(size=3) / (level + 1) for level in range(levels - 1)] + [np.zeros(3)]
    fields = [compress(field + off[0] + np.sin(2 * PLACES @ off[1:])) for off in noise]
    seen = [set() for _ in range(levels)]

    def ask(level, cells):
        seen[level] |= set(cells)
        return fields[level][list(cells)]

    examples = [4**level for level in range(levels)]
    generator = torch.Generator().manual_seed(seed)
    found = Multilevel(PLACES, examples, ask, lambda values: allowed(error, values), generator).run()
    return found, seen, fields[-1]


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("height", [1.0, 100.0])
def test_the_promise_is_kept(levels, height):
    beyond, covered = [], []
    for seed in range(4):
        field = height * np.abs(rough(seed))
        found, seen, truth = asked(field, levels, seed)
        loss = expand(found.values)
        beyond.append((np.abs(loss - field) > 0.02 * np.maximum(field, 1)).mean())
        open_cells = found.error > 0
        covered.append((np.abs(found.values - truth) <= found.error)[open_cells].mean() if open_cells.any() else 1)
        assert found.beyond < 0.01
        assert len(seen[-1]) < 0.8 * len(PLACES)
        assert len(found.checked) >= HELD_OUT
        assert set(found.checked) <= seen[-1]
    assert max(beyond) < 0.01
    assert min(covered) > 0.9


def test_more_examples_are_asked_for_at_fewer_points():
    _, seen, _ = asked(np.abs(rough(5)), 3, 5)
    assert len(seen[0]) > len(seen[1]) >= len(seen[2])
    assert seen[2] <= seen[1] <= seen[0]


def test_a_step_between_points_is_found_by_the_check():
    """A narrow trench that a first look would miss."""
    field = 1 + 2.0 * (np.abs(PLACES[:, 0] - 0.1) < 0.17)
    found, _, _ = asked(field, 1, 0)
    assert (np.abs(expand(found.values) - field) > 0.02 * field).mean() < 0.01


def test_noise_costs_every_point_and_is_right():
    field = np.random.default_rng(0).uniform(0, 3, len(PLACES))
    found, seen, truth = asked(field, 1, 0)
    assert len(seen[-1]) > 0.97 * len(PLACES)
    assert (np.abs(found.values - truth) > 0.02).mean() < 0.01


@settings(max_examples=20)
@given(st.integers(2, 40))
def test_points_spread_out_greedily(count):
    chosen = spread_out(PLACES, count)
    assert chosen[0] == len(PLACES) // 2
    distances = np.linalg.norm(PLACES[:, None] - PLACES[chosen[:-1]][None], axis=-1).min(1)
    assert distances[chosen[-1]] == distances.max()


FLAGS = ["--grid", "21x15", "--extent", "2", "--samples", "700", "--error", "0.05"]


def test_the_command_keeps_its_promise_and_says_what_it_spent(command, pruned, tmp_path):
    status, found, _ = command("surface", pruned, *FLAGS, "-o", tmp_path / "thrifty.h5")
    command("surface", pruned, *FLAGS[:-2], "-o", tmp_path / "exact.h5")
    assert status == 0
    with h5py.File(tmp_path / "thrifty.h5") as thrifty, h5py.File(tmp_path / "exact.h5") as exact:
        loss, truth = thrifty["surface/loss"][()], exact["surface/loss"][()]
        examples, error = thrifty["surface/examples"][()], thrifty["surface/loss_error"][()]
        assert thrifty["surface/level"][()].tolist() == [175, 700]
        assert np.abs(thrifty["surface/accuracy"][()] - exact["surface/accuracy"][()]).max() < 0.1
        assert thrifty["surface/held_out"][()].sum() == found["error"]["held_out"] >= HELD_OUT
    assert (np.abs(loss - truth) > 0.05 * np.maximum(truth, 1)).mean() <= 0.01
    np.testing.assert_allclose(loss[examples == 700], truth[examples == 700], rtol=1e-6)
    assert ((error == 0) == (examples == 700)).all()
    assert found["forward_passes"] == pytest.approx(examples.sum() / 700)
    assert found["forward_passes"] < 315
    assert found["error"]["asked"] == 0.05
    assert found["error"]["kept"]
    assert found["loss_at_centre"] == pytest.approx(found["loss"], rel=1e-6)


def test_stopped_and_typed_again_it_gives_the_same_file(command, checkpoint, tmp_path, monkeypatch):
    command("surface", checkpoint, *FLAGS, "-o", tmp_path / "whole.h5")
    evaluate, calls = Objective.evaluate, []

    def counting(self, displacement=None, stop_after=10**9):
        calls.append(len(self.x))
        if len(calls) > stop_after:
            raise KeyboardInterrupt
        return evaluate(self, displacement)

    for stop in (30, 90, 10**9):
        calls.clear()
        monkeypatch.setattr(Objective, "evaluate", lambda self, d=None, stop=stop: counting(self, d, stop))
        status = command("surface", checkpoint, *FLAGS, "-o", tmp_path / "stopped.h5")[0]
        assert status == (130 if stop < 10**9 else 0)
    assert same_content(tmp_path / "whole.h5", tmp_path / "stopped.h5")


def test_a_line_and_an_overflow(command, checkpoint, tmp_path):
    flags = ["--grid", "301x1", "--extent", "3e37", "--samples", "20", "--error", "0.1", "-o", tmp_path / "line.h5"]
    status, found, _ = command("surface", checkpoint, *flags)
    assert status == 0
    assert found["not_finite"] > 200
    with h5py.File(tmp_path / "line.h5") as file:
        losses = file["surface/loss"][()]
    assert np.isfinite(losses[150])
    assert np.isinf(losses[[0, -1]]).all()


def test_what_no_error_can_be(command, checkpoint):
    status, _, said = command("surface", checkpoint, "--error", "2")
    assert status == 1
    assert "--error 2.0: expected a fraction of max(loss, 1), such as 0.02" in said
