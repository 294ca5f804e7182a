"""Batch-norm statistics that are estimated anew at each point of a surface, and held ones, leave the network alone."""

import copy

import pytest
import torch
from oracles.small_networks import make

from landscape.objective.batch_norm import reestimate
from landscape.objective.directions import random_direction
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.surface.plane import Plane
from landscape.surface.surface_function import SurfaceFunction
from minima.zoo.examples.evaluation import evaluate


@pytest.mark.parametrize("batch_size", [5, None])
def test_reestimated_statistics_at_a_point_against_a_displaced_copy(batch_size):
    case = make("batchnorm", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y, batch_size=batch_size)
    plane = Plane([random_direction(objective, stream(0, "direction", axis)) for axis in (0, 1)])
    function, before = SurfaceFunction(objective, plane, 3, 0, reestimated=True), copy.deepcopy(case.model.state_dict())
    found = function.at((0.3, -0.2)).level
    moved = copy.deepcopy(case.model).eval()
    vector = torch.nn.utils.parameters_to_vector(moved.parameters()) + plane.displacement((0.3, -0.2))
    torch.nn.utils.vector_to_parameters(vector, moved.parameters())
    own = evaluate(moved, case.x, case.y).loss
    reestimate(moved, case.x)
    assert found.loss == pytest.approx(evaluate(moved, case.x, case.y).loss, rel=1e-10)
    assert abs(found.loss - own) > 1e-3
    assert SurfaceFunction(objective, plane, 3, 0).at((0.3, -0.2)).level.loss == pytest.approx(own, rel=1e-10)
    assert all(torch.equal(before[name], value) for name, value in case.model.state_dict().items())
    assert function.passes == 2


def test_derivatives_are_those_at_the_held_statistics():
    """The gradient at a point treats its statistics as constants, as a network in eval mode does."""
    case = make("batchnorm", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y)
    objective.gradient()
    held = {"bn1.running_mean": torch.full((3,), 0.7, dtype=torch.float64)}
    other = copy.deepcopy(case.model)
    other.bn1.running_mean.fill_(0.7)
    torch.testing.assert_close(objective.holding(held).gradient(), Objective(other, case.x, case.y).gradient())
    v = objective.normal(stream(0))
    torch.testing.assert_close(objective.holding(held).hvp(v), Objective(other, case.x, case.y).hvp(v))
