"""Planes through other networks and along eigenvectors, against brute force, numpy and the networks themselves."""

import copy

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make

from landscape.objective.batch_norm import reestimate
from landscape.objective.directions import described
from landscape.objective.objective import Objective
from landscape.surface.plane import Plane
from landscape.surface.planes.eigen import Eigen
from landscape.surface.principal import principal_axes
from landscape.surface.spanning import Centre
from minima.store.checkpoints.checkpoint import read
from minima.store.checkpoints.trajectory_writer import TrajectoryWriter
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.subject.subject import load_subject

RESNET = {"model": "resnet20:width=2", "sparsity": 0.5}
SMALL = ["--samples", "20", "--directions"]


def surface(path):
    with h5py.File(path) as file:
        return {name: dataset[()] for name, dataset in file["surface"].items()}


@pytest.fixture
def trajectory(checkpoint, tmp_path):
    """Five moments that end at the checkpoint."""
    end, path = read(checkpoint), tmp_path / "net.trajectory.h5"
    writer, draws = TrajectoryWriter(path, end, "epoch"), torch.Generator().manual_seed(3)
    noise = [{k: torch.randn(v.shape, generator=draws) for k, v in end.state.items()} for _ in range(3)]
    for step in range(5):
        far = 0.1 * (4 - step)
        shares = (far, far**2, 0.05 * far * (-1) ** step)
        moved = {k: v + sum(s * each[k] for s, each in zip(shares, noise, strict=True)) for k, v in end.state.items()}
        writer.append(step, moved, {})
    writer.finish()
    return path


@pytest.mark.parametrize("statistics", ["own", "re-estimate"])
def test_the_plane_through_three_networks_has_their_losses_where_they_lie(command, another, statistics):
    paths = [another(f"{name}.pt", seed=seed, **RESNET) for seed, name in enumerate("abc")]
    flags = ["--grid", "3x2", *SMALL, "checkpoints", "--through", *paths[1:], "--batch-norm-statistics", statistics]
    status, found, said = command("surface", paths[0], *flags)
    assert status == 0, said
    file = surface(found["out"])
    for index, path in enumerate(paths):
        subject = load_subject(path, samples=20)
        if statistics == "re-estimate":
            reestimate(subject.model, subject.x)
        own = evaluate(subject.model, subject.x, subject.y)
        assert file["point_loss"][index] == pytest.approx(own.loss, rel=1e-5)
        assert file["point_accuracy"][index] == own.accuracy
    vectors = [weights(path) for path in paths]
    places = np.stack([file["point_alpha"], file["point_beta"]], axis=1)
    for i in range(3):  # orthonormal axes: distances on the picture are distances of weights
        for j in range(i):
            distance = (vectors[i] - vectors[j]).norm().item()
            assert np.linalg.norm(places[i] - places[j]) == pytest.approx(distance, rel=1e-6)
    for axis, name in ((0, "alpha"), (1, "beta")):
        margin = 0.2 * np.ptp(places, axis=0).max()
        ends = [places[:, axis].min() - margin, places[:, axis].max() + margin]
        np.testing.assert_allclose(file[name][[0, -1]], ends)
    assert found["forward_passes"] == (1 if statistics == "own" else 20) * (6 + 1 + 2)


def weights(path):
    return torch.cat([p.detach().double().flatten() for p in load_subject(path, samples=20).model.parameters()])


def test_points_between_three_networks_against_the_mean_of_their_states(command, another):
    paths = [another(f"{name}.pt", seed=seed, **RESNET) for seed, name in enumerate("abc")]
    _, found, _ = command("surface", paths[0], "--grid", "4x4", *SMALL, "checkpoints", "--through", *paths[1:])
    file, subjects = surface(found["out"]), [load_subject(path, samples=20) for path in paths]
    places = np.stack([file["point_alpha"], file["point_beta"], np.ones(3)])
    states = [subject.model.state_dict() for subject in subjects]
    inside = 0
    for i, alpha in enumerate(file["alpha"]):
        for j, beta in enumerate(file["beta"]):
            shares = np.linalg.solve(places, [alpha, beta, 1])
            if shares.min() < 0:
                continue  # beyond, statistics are held within the range of the networks'
            inside += 1
            mixed = copy.deepcopy(subjects[0].model)
            mixed.load_state_dict(
                {k: sum(s * state[k] for s, state in zip(shares, states, strict=True)) for k in states[0]}
            )
            level = evaluate(mixed, subjects[0].x, subjects[0].y)
            assert file["loss"][i, j] == pytest.approx(level.loss, rel=1e-4)
    assert inside
    assert np.isfinite(file["loss"]).all()  # with extrapolated variances some would be negative


def test_a_line_through_two_networks(command, another):
    first, second = another("a.pt"), another("b.pt", seed=1)
    _, found, _ = command("surface", first, "--grid", "5x1", *SMALL, "checkpoints", "--through", second)
    assert found["networks"] == ["a.pt", "b.pt"]
    assert found["point_alpha"] == [0, pytest.approx((weights(second) - weights(first)).norm().item(), rel=1e-6)]


def test_to_a_given_error_through_networks_with_their_statistics_interpolated(command, another):
    paths = [another(f"{name}.pt", seed=seed, **RESNET) for seed, name in enumerate("abc")]
    flags = ["surface", paths[0], "--grid", "5x4", *SMALL, "checkpoints", "--through", *paths[1:], "--overwrite"]
    exact = surface(command(*flags)[1]["out"])
    _, found, said = command(*flags, "--error", "0.1")
    assert found["error"]["kept"], said
    near = surface(found["out"])
    beyond = np.abs(near["loss"] - exact["loss"]) > 0.1 * np.maximum(exact["loss"], 1)
    assert beyond.mean() <= 0.05
    assert (near["point_loss"] == exact["point_loss"]).all()


def test_principal_axes_against_numpy():
    rows = torch.randn(6, 40, dtype=torch.float64) * torch.logspace(0, -3, 6, dtype=torch.float64)[:, None]
    axes, shares = principal_axes(rows, 2)
    _, values, right = np.linalg.svd(rows.numpy(), full_matrices=False)
    np.testing.assert_allclose(np.abs(axes.numpy() @ right[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(shares, (values**2 / (values**2).sum())[:2])
    assert (axes @ rows[0] >= 0).all()


def test_projection_on_directions_that_are_not_orthogonal_against_lstsq():
    case = make("mlp", dtype=torch.float64)
    coordinates = Objective(case.model, case.x, case.y).coordinates
    first, beside, v = torch.randn(3, coordinates.dimension, dtype=torch.float64)
    plane = Plane([described(3 * first, coordinates), described(first + 0.2 * beside, coordinates)])
    found, distance = plane.project(v)
    expected, residual, *_ = np.linalg.lstsq(plane.rows.numpy().T, v.numpy(), rcond=None)
    np.testing.assert_allclose(found, expected)
    assert distance == pytest.approx(residual[0] ** 0.5)


@pytest.mark.parametrize("directions", ["trajectory", "random"])
def test_a_training_on_the_surface(command, checkpoint, trajectory, directions):
    flags = ["--grid", "3x3", *SMALL, directions, "--trajectory", trajectory]
    status, found, said = command("surface", checkpoint, *flags)
    assert status == 0, said
    file = surface(found["out"])
    assert file["moment"].tolist() == [0, 1, 2, 3, 4]
    for row, step in enumerate(range(5)):
        subject = load_subject(trajectory, step, samples=20)
        level = evaluate(subject.model, subject.x, subject.y)
        assert file["trajectory_loss"][row] == pytest.approx(level.loss, rel=1e-6)
    assert file["trajectory_distance"][-1] == file["trajectory_residual"][-1] == 0
    assert file["trajectory_surface_loss"][-1] == file["trajectory_loss"][-1] == pytest.approx(found["loss"])
    if directions == "random":
        assert (file["trajectory_residual"][:-1] > 0.9).all()  # hardly any of the course lies in a random plane
        return
    rows = torch.stack([torch.cat([t.double().flatten() for t in moment_weights(trajectory, s)]) for s in range(5)])
    displacements = (rows - rows[-1]).numpy()
    left, values, _ = np.linalg.svd(displacements, full_matrices=False)
    np.testing.assert_allclose(file["explained_variance"], (values**2 / (values**2).sum())[:2], rtol=1e-6)
    expected = np.abs(left[:, :2] * values[:2])
    for axis, name in enumerate(("alpha", "beta")):
        places = file[f"trajectory_{name}"]
        np.testing.assert_allclose(np.abs(places), expected[:, axis], atol=1e-5)
        assert file[name][0] < places.min() <= places.max() < file[name][-1]
    rest = np.sqrt((displacements**2).sum(1) - (expected**2).sum(1).clip(0))[:-1]
    np.testing.assert_allclose((file["trajectory_residual"] * file["trajectory_distance"])[:-1], rest, rtol=1e-3)


def moment_weights(path, step):
    return [p.detach() for p in load_subject(path, step, samples=20).model.parameters()]


def test_along_eigenvectors_the_loss_is_the_quadratic_of_their_eigenvalues():
    case = make("attention", dtype=torch.float64)
    objective, dense = Objective(case.model, case.x, case.y), Dense(case.model, case.x, case.y)
    gradient = objective.gradient()
    centre = Centre(None, objective, (gradient, objective.hvp(gradient)), (), (), axes=2, seed=0)
    plane = Eigen().plane(centre)
    values = torch.linalg.eigvalsh(dense.hessian()).flip(0)[:2]
    np.testing.assert_allclose(plane.eigenvalues, values, rtol=2e-3)
    for alpha, beta in ((1e-3, 0), (0, -1e-3), (1e-3, 1e-3), (-1e-3, 2e-3)):
        step = torch.tensor([alpha, beta], dtype=torch.float64)
        expected = dense.loss(dense.w) + step @ (plane.rows @ gradient) + step**2 @ values / 2
        assert objective.loss(plane.displacement((alpha, beta))) == pytest.approx(expected.item(), abs=1e-8)
    assert (plane.rows @ gradient >= 0).all()


def test_eigenvectors_of_a_file(command, pruned):
    flags = ["--grid", "3", "--extent", "0.01", *SMALL, "eigen"]
    _, found, _ = command("surface", pruned, *flags)
    subject = load_subject(pruned, samples=20)
    dense = Dense(subject.model, subject.x, subject.y, subject.masks)
    np.testing.assert_allclose(found["eigenvalues"], torch.linalg.eigvalsh(dense.hessian()).flip(0)[:2], rtol=2e-3)
    assert found["direction_norms"] == pytest.approx([1, 1])
    _, curvature, _ = command("hessian", pruned, "--samples", "20", "--top", "2")
    again = command("surface", pruned, *flags, "--eigenvectors", curvature["out"], "--overwrite")[1]
    np.testing.assert_allclose(again["eigenvalues"], found["eigenvalues"], rtol=2e-3)
    assert again["loss_max"] == pytest.approx(found["loss_max"], rel=1e-5)


def test_lines_and_their_spread(command, pruned):
    status, found, said = command("surface", pruned, "--grid", "3x1", "--samples", "20", "--lines", "4")
    assert status == 0, said
    file, single = (
        surface(found["out"]),
        command("surface", pruned, "--grid", "3x1", "--samples", "20", "--overwrite")[1],
    )
    assert (found["points"], found["forward_passes"], len(found["direction_norms"])) == (12, 12, 4)
    np.testing.assert_array_equal(file["loss"][0], surface(single["out"])["loss"])  # the first is the line without
    assert len(set(file["loss"][:, 0])) == 4
    np.testing.assert_allclose(file["loss_mean"], file["loss"].mean(0))
    np.testing.assert_allclose(file["loss_spread"], np.sqrt(((file["loss"] - file["loss_mean"]) ** 2).sum(0) / 3))
    assert file["loss_quantile"].shape == (5, 3)
    np.testing.assert_array_equal(file["loss_quantile"][2], np.sort(file["loss"], axis=0)[1])
    assert (file["loss_spread"][1], found["loss_at_centre"]) == (0, pytest.approx(found["loss"]))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--grid", "1"], "--grid 1"),
        (["--directions", "checkpoints"], "needs --through"),
        (["--directions", "trajectory"], "needs --trajectory"),
        (["--through", "b.pt", "c.pt"], "--through is for"),
        (["--directions", "checkpoints", "--through", "b.pt"], "names 1 checkpoints"),
        (["--directions", "checkpoints", "--through", "absent.pt", "b.pt"], "no such file"),
        (["--directions", "checkpoints", "--through", "b.pt", "twice.pt"], "on one line: 0.00 degrees"),
        (["--directions", "checkpoints", "--through", "net.pt", "b.pt"], "the same weights as net.pt"),
        (["--directions", "checkpoints", "--through", "b.pt", "wide.pt"], "different architecture: fc1"),
        (["--directions", "eigen", "--eigenvectors", "absent.h5"], "no such file"),
        (["--directions", "eigen", "--eigenvectors", "b.hessian.h5"], "another checkpoint than net.pt"),
        (["--directions", "eigen", "--eigenvectors", "net.hessian.h5"], "holds 1, expected 2"),
        (["--directions", "eigen", "--grid", "3x1", "--eigenvectors", "sparse.hessian.h5"], "another --subspace"),
        (["--lines", "5"], "--lines 5"),
        (["--error", "0.1", "--maps", "gradient"], "without --maps"),
        (["--maps", "hessian"], "known are curvature, gradient, per-class"),
        (["--directions", "trajectory", "--trajectory", "b.pt"], "b.pt"),
    ],
)
def test_bad_input_in_one_line(command, checkpoint, another, tmp_path, monkeypatch, flags, expected):
    monkeypatch.chdir(tmp_path)
    for name, keywords in {"b": {"seed": 1}, "twice": {"seed": 1}, "wide": {"model": "mlp:hidden=9"}}.items():
        another(f"{name}.pt", **keywords)
    if "--eigenvectors" in flags:
        command("hessian", "b.pt", "--samples", "20", "--top", "2")
        command("hessian", "net.pt", "--samples", "20", "--top", "1")
    network = "net.pt"
    if "sparse.hessian.h5" in flags:
        network = another("sparse.pt", sparsity=0.8).name
        command("hessian", network, "--samples", "20", "--top", "1", "--subspace", "full")
    status, _, said = command("surface", network, "--samples", "20", "--grid", "3", *flags)
    assert status == 1
    assert expected in said
    assert len(said.strip().splitlines()) <= 4
