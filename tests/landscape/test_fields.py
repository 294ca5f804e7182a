"""Maps beside a surface's loss: against dense float64 derivatives at displaced weights, and the loss itself."""

import h5py
import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make

from landscape import loss_surface
from landscape.objective.directions import random_direction
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.surface.field import fields, parse_maps
from landscape.surface.plane import Plane
from landscape.surface.surface_function import SurfaceFunction
from minima.store.hdf5.results import same_content
from minima.zoo.subject.subject import load_subject

ALL = ["--samples", "50", "--maps", "per-class,gradient,curvature"]


def surface_of(kind, axes):
    case = make(kind, dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y, masks=case.masks, batch_size=5)
    plane = Plane([random_direction(objective, stream(0, "direction", axis)) for axis in range(axes)])
    return SurfaceFunction(objective, plane, classes=4, seed=0), Dense(case.model, case.x, case.y, case.masks), case


@pytest.mark.parametrize("name", fields())
def test_every_field_finds_the_maps_that_it_declares(name):
    field = fields()[name]()
    found = field.values(surface_of("masked", 2)[0].at((0.3, -0.2)))
    assert set(found) == {each.name for each in field.maps}
    assert all((np.ndim(found[each.name]) > 0) == (each.along is not None) for each in field.maps)
    assert min(field.cost(2, 5).values()) >= 0


@pytest.mark.parametrize("kind", ["masked", "batchnorm"])
@pytest.mark.parametrize("at", [(0.3, -0.2), (0.4,)])
def test_maps_at_a_point_against_dense_derivatives(kind, at):
    function, dense, case = surface_of(kind, len(at))
    point = function.at(at)
    found = {
        key: value for field in parse_maps("per-class,gradient,curvature") for key, value in field.values(point).items()
    }
    dense.w = dense.w.clone()
    dense.w[dense.kept] += point.displacement
    gradient, matrix, rows = dense.gradient(), dense.hessian(), function.plane.rows
    torch.testing.assert_close(found["map_gradient_norm"], gradient.norm().item())
    torch.testing.assert_close(found["map_slope"], rows @ gradient)
    within = rows @ matrix @ rows.T
    torch.testing.assert_close(found["map_curvature"], within.diagonal())
    if len(at) == 2:
        torch.testing.assert_close(found["map_mixed_curvature"], within[0, 1])
    draws = stream(0, "map", "trace")
    probes = torch.stack([point.objective.signs(draws) for _ in range(4)])
    samples = ((probes @ matrix) * probes).sum(1)
    assert found["map_trace"] == pytest.approx(samples.mean().item())
    assert found["map_trace_stderr"] == pytest.approx(samples.std().item() / 2)
    losses = torch.nn.functional.cross_entropy(dense.outputs(dense.w), case.y, reduction="none")
    expected = [losses[case.y == label].mean().item() for label in range(4)]  # nobody is of class 3
    np.testing.assert_allclose(found["class_loss"], expected)
    assert point.level.loss == pytest.approx(losses.mean().item())


def test_classes_average_to_the_loss_and_maps_change_nothing(command, pruned, tmp_path):
    plain = command("surface", pruned, "--grid", "3x4", "--samples", "50", "-o", tmp_path / "plain.h5")[1]
    _, found, _ = command("surface", pruned, "--grid", "3x4", *ALL, "-o", tmp_path / "maps.h5")
    with h5py.File(plain["out"]) as bare, h5py.File(found["out"]) as file:
        surface = file["surface"]
        np.testing.assert_array_equal(bare["surface/loss"], surface["loss"])
        shares = np.bincount(load_subject(pruned, samples=50).y, minlength=10) / 50
        for name in ("loss", "accuracy"):
            np.testing.assert_allclose(np.tensordot(shares, surface[f"class_{name}"], 1), surface[name], rtol=1e-12)
        assert [surface["map_slope"].dims[axis][0].name for axis in range(3)] == [
            f"/surface/{name}" for name in ("direction", "alpha", "beta")
        ]
    assert found["forward_passes"] == plain["forward_passes"]
    assert found["maps"]["curvature"] == {"gradients": 12, "products": 72}


def test_stopped_maps_go_on(command, checkpoint, tmp_path, monkeypatch):
    arguments = ["surface", checkpoint, "--grid", "4x3", *ALL]
    command(*arguments, "-o", tmp_path / "whole.h5")
    evaluate_point, calls = Objective.evaluate, []

    def stopping(self, *given):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return evaluate_point(self, *given)

    monkeypatch.setattr(Objective, "evaluate", stopping)
    assert command(*arguments, "-o", tmp_path / "stopped.h5")[0] == 130
    assert command(*arguments, "-o", tmp_path / "stopped.h5")[0] == 0
    assert len(calls) == 8 + 6 + 1  # two rows of three were done; the centre lies between the points
    assert same_content(tmp_path / "whole.h5", tmp_path / "stopped.h5")


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8])
def test_a_class_counts_by_itself_whatever_its_weight_in_the_loss(dtype):
    model, x, y = torch.nn.Linear(4, 3), torch.randn(30, 4), torch.arange(30) % 3
    spec, drawing = "cross-entropy:weight=1x2x5", {"maps": "per-class"}
    found = loss_surface(model, (x, y.to(dtype)), spec, grid="3x1", drawing=drawing).arrays
    with torch.no_grad():
        losses, right = torch.nn.functional.cross_entropy(model(x), y, reduction="none"), model(x).argmax(1) == y
    for label in range(3):
        assert found["class_loss"][label, 1] == pytest.approx(losses[y == label].mean().item(), rel=1e-5)
        assert found["class_accuracy"][label, 1] == pytest.approx(right[y == label].double().mean().item())


def test_a_loss_of_ones_own_has_classes_and_no_accuracy():
    model, x, y = torch.nn.Linear(4, 3), torch.randn(30, 4), torch.arange(30) % 3

    def own(outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")

    found = loss_surface(model, (x, y), own, grid="3x1", drawing={"maps": "per-class"}).arrays
    with torch.no_grad():
        assert found["class_loss"][1, 1] == pytest.approx(own(model(x), y)[y == 1].mean().item(), rel=1e-5)
    assert np.isnan(found["class_accuracy"]).all()
