"""Topology of a surface: the merge tree against gudhi and brute force, known wells, quadratics, and the command."""

import sys

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from landscape.objective.directions import random_direction
from landscape.objective.flags import mean_loss
from landscape.objective.streams import stream
from landscape.topology.basins import find_basins, margin
from landscape.topology.merge_tree import merge_tree
from landscape.topology.persistence import persistence
from landscape.topology.report import table
from landscape.topology.surface_curvature import convex_share, fit_at_centre, metric_root
from minima.zoo.subject.subject import load_subject

GRIDS = st.tuples(st.integers(1, 6), st.integers(1, 6)) | st.tuples(st.integers(2, 12))
LEVELS = st.integers(0, 9).map(float) | st.just(np.inf)  # few levels: plateaus and ties
RANDOM = GRIDS.flatmap(lambda shape: arrays(float, shape, elements=LEVELS))


def below(values, level):
    """Connected pieces of {values <= level}, corners included: a label for each point, 0 outside."""
    return label(values <= level, np.ones((3,) * values.ndim))[0].ravel()


@given(RANDOM)
def test_the_tree_has_the_pairs_of_gudhi(values):
    pytest.importorskip("gudhi")
    tree, flat = merge_tree(values), values.ravel()
    merging = tree.saddles >= 0
    ours = np.stack([flat[tree.minima], flat[tree.saddles]], axis=1)[merging]
    assert sorted(ours[ours[:, 0] < ours[:, 1]].tolist()) == sorted(
        pair for pair in flat[persistence(values, 0)].tolist() if pair[1] < np.inf
    )


@given(RANDOM)
def test_the_tree_is_that_of_the_sublevel_sets(values):
    """A minimum and its parent are in one piece at the level of the saddle, and in two at any lower level."""
    tree, flat = merge_tree(values), values.ravel()
    for minimum, saddle, parent in zip(tree.minima, tree.saddles, tree.parents, strict=True):
        if saddle < 0:
            continue
        assert flat[tree.minima[parent]] <= flat[minimum] <= flat[saddle]
        pieces = below(values, flat[saddle])
        assert pieces[minimum] == pieces[tree.minima[parent]] > 0
        if flat[minimum] < flat[saddle]:
            pieces = below(values, flat[saddle] - 0.5)
            assert pieces[minimum] != pieces[tree.minima[parent]]
    assert ((tree.descents < 0) == np.isinf(values)).all()
    assert len(tree.minima) == 0 or (tree.saddles < 0).sum() == below(values, 9).max()


def wells(x, y):
    """Two parabolas: bottoms 0 at (-1, 0) and 0.5 at (1, 0), a saddle between them at x = 1/8, 1.265625 high."""
    return np.minimum((x + 1) ** 2, 0.5 + (x - 1) ** 2) + y**2


def test_two_wells_of_known_depth():
    along = np.linspace(-2, 2, 33)
    values = wells(along[:, None], along)
    found = find_basins(values, margin(values))
    assert found.minima.tolist() == [8 * 33 + 16, 24 * 33 + 16]
    assert found.saddles.tolist() == [-1, 17 * 33 + 16]
    assert found.depths.tolist() == pytest.approx([np.inf, 0.765625])
    assert found.parents.tolist() == [-1, 0]
    np.testing.assert_array_equal(found.belonging == 1, np.broadcast_to(along[:, None] > 0.125, values.shape))
    assert len(find_basins(values, margin(values, prominence=0.77)).minima) == 1
    error = np.full(values.shape, 0.38)  # of minimum and saddle together just less than the depth
    assert len(find_basins(values, margin(values, error=error)).minima) == 2
    assert len(find_basins(values, margin(values, error=1.01 * error)).minima) == 1


def test_a_wall_parts_basins_and_a_valley_around_it_is_a_loop():
    pytest.importorskip("gudhi")
    values = np.array([[0.0, 0, 1], [np.inf] * 3, [2, 0, 3]])
    assert find_basins(values, margin(values)).depths.tolist() == [np.inf, np.inf]
    ring = np.array([[0.0, 0, 0], [0, np.nan, 1], [0, 0, 0]])
    assert persistence(ring, 1)[:, 1].tolist() == [4]
    assert len(find_basins(np.full((3, 3), np.inf), np.zeros(9)).minima) == 0


def test_a_narrow_valley_along_the_diagonal_is_one_basin():
    along = np.linspace(-1, 1, 21)
    values = 1000 * (along[:, None] - along) ** 2 + (along[:, None] + along) ** 2
    assert find_basins(values, np.zeros(values.size)).minima.tolist() == [10 * 21 + 10]


def test_a_narrow_ridge_along_the_diagonal_is_no_row_of_hills():
    pytest.importorskip("gudhi")
    assert len(persistence(np.eye(9), 1)) == 0


@given(st.integers(0, 2**16), st.sampled_from([9, 12]))
def test_a_quadratic_between_oblique_directions(seed, points):
    """K = diag(9, 2) turned by 30 degrees, seen in directions of lengths 3 and 0.2 at an angle of their own."""
    rng = np.random.default_rng(seed)
    cosine = rng.uniform(-0.95, 0.95)
    root = metric_root([3.0, 0.2], cosine)
    turn = np.radians(30)
    frame = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix, slope = frame @ np.diag([2.0, 9.0]) @ frame.T, rng.normal(size=2)
    alpha, beta = np.linspace(-1, 1, points), np.linspace(-4, 4, points)
    x = np.einsum("ij,jab->iab", root, np.stack(np.meshgrid(alpha, beta, indexing="ij")))
    values = 1 + np.einsum("i,iab->ab", slope, x) + np.einsum("iab,ij,jab->ab", x, matrix, x) / 2
    fit = fit_at_centre([alpha, beta], values, root)
    assert fit.curvatures == pytest.approx((9, 2), rel=1e-6)
    assert (fit.condition, fit.orientation) == (pytest.approx(4.5, rel=1e-6), pytest.approx(30, abs=1e-4))
    assert fit.slope == pytest.approx(np.linalg.norm(slope), rel=1e-6)
    assert convex_share(values) == 1
    assert convex_share(-values) == 0


def test_what_cannot_be_said_of_the_curvature():
    along = np.linspace(-1, 1, 5)
    values = wells(along[:, None], along)
    assert fit_at_centre([along, along], values, metric_root([1.0, 1.0], 1.0)) is None
    assert fit_at_centre([along, along + 9], values, np.eye(2)) is None
    saddle = along[:, None] ** 2 - along**2
    assert fit_at_centre([along, along], saddle, np.eye(2)).condition is None
    assert convex_share(saddle) == 0
    values[1, 2] = np.inf
    assert fit_at_centre([along, along], values, np.eye(2)) is None
    assert convex_share(np.ones((2, 5))) is None


SMOOTH = """
from torch import nn
def make():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10))
"""


def test_the_command_agrees_with_the_hessian(command, tmp_path):
    """Of a network without kinks, the curvatures at the centre are those of the Hessian within the plane."""
    pytest.importorskip("gudhi")
    factory, checkpoint, surface = (tmp_path / name for name in ("smooth.py", "smooth.pt", "s.h5"))
    factory.write_text(SMOOTH)
    torch.manual_seed(0)
    exec(SMOOTH, scope := {})
    torch.save(scope["make"]().state_dict(), checkpoint)
    network = {"model": f"{factory}:make", "data": "digits", "samples": 50}
    flags = [word for key, value in network.items() for word in (f"--{key}", value)]
    command("surface", checkpoint, *flags, "--grid", "5", "--extent", "0.02", "-o", surface)
    status, found, _ = command("topology", surface)
    assert status == 0
    objective = mean_loss(load_subject(checkpoint, **network), "survivors")
    along = [random_direction(objective, stream(0, "direction", axis)).vector for axis in (0, 1)]
    frame = torch.linalg.qr(torch.stack(along, dim=1).double()).Q
    within = frame.T @ torch.stack([objective.hvp(column) for column in frame.T], dim=1)
    assert found["curvatures"][::-1] == pytest.approx(torch.linalg.eigvalsh(within).tolist(), rel=0.02)
    assert found["slope"] == pytest.approx((frame.T @ objective.gradient()).norm().item(), rel=1e-3)


def test_the_file_and_several_checkpoints(command, checkpoint, another, tmp_path):
    pytest.importorskip("gudhi")
    surface, other = tmp_path / "s.h5", another("other.pt", seed=1)
    command("surface", checkpoint, other, "--grid", "6x7", "--extent", "9", "--samples", "20", "-o", surface)
    status, found, _ = command("topology", surface, "--prominence", "0.01")
    assert (status, found["reused"], found["checkpoint"]) == (0, False, [checkpoint.name, other.name])
    with h5py.File(found["out"]) as file, h5py.File(surface) as source:
        group = file["topology"]
        np.testing.assert_array_equal(group["loss"], source["surface/loss"])
        for index, basins in enumerate(found["basins"]):
            share = np.bincount(group["basin_of_point"][index].ravel(), minlength=len(basins) + 1)[1:] / 42
            assert share[: len(basins)].tolist() == pytest.approx([basin["share"] for basin in basins])
            assert group["minimum_alpha"][index, : len(basins)].tolist() == [basin["alpha"] for basin in basins]
            assert np.isnan(group["depth"][index, len(basins) :]).all()
            assert basins[0]["loss"] == source["surface/loss"][index].min()
    assert found["largest_loss_error"] == [None, None]
    assert command("topology", surface, "--prominence", "0.01")[1]["reused"]
    status, _, err = command("topology", surface)
    assert (status, "prominence was 0.01" in err) == (1, True)


def test_that_a_surface_is_estimated_is_told(command, checkpoint, tmp_path):
    pytest.importorskip("gudhi")
    surface = tmp_path / "s.h5"
    command("surface", checkpoint, "--grid", "21x15", "--samples", "100", "--error", "0.05", "-o", surface)
    _, found, _ = command("topology", surface)
    with h5py.File(surface) as file:
        assert found["largest_loss_error"] == file["surface/loss_error"][()].max() > 0
    assert f"estimated, not exact: errors of the loss up to {found['largest_loss_error']:.3g} nat" in table(found)
    assert "not exact" not in table(found | {"largest_loss_error": None})


def test_bad_input(command, checkpoint, tmp_path, monkeypatch):
    hessian, surface = tmp_path / "h.h5", tmp_path / "s.h5"
    command("hessian", checkpoint, "--samples", "20", "--top", "1", "-o", hessian)
    command("surface", checkpoint, "--grid", "3", "--samples", "20", "-o", surface)
    monkeypatch.setitem(sys.modules, "gudhi", None)
    for arguments, words in (
        ([hessian], "expected one of landscape.surface"),
        ([surface, "--prominence", "-1"], "--prominence -1.0"),
        ([tmp_path / "none.h5"], "there is no such file"),
        ([surface], "pip install"),
    ):
        status, _, err = command("topology", *arguments)
        assert (status, words in err, err.count("\n") <= 3) == (1, True, True), err
