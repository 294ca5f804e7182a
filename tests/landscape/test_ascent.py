"""The inner maximisation against closed forms and brute force."""

import itertools

import numpy as np
import pytest
import torch
from oracles.quadratic import quadratic
from oracles.small_networks import make

from landscape.objective.objective import Objective
from landscape.sharpness.ascent import highest
from landscape.sharpness.neighbourhoods import Ball, Box


def climb(objective, place, restarts=4, steps=60, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return highest(objective, [place], restarts=restarts, steps=steps, generator=generator)[0]


def random_symmetric(size, seed):
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    return (matrix + matrix.T) / 2


@pytest.mark.parametrize("seed", range(5))
def test_ball_around_a_minimum(seed):
    matrix = random_symmetric(12, seed)
    matrix = matrix @ matrix
    found = climb(quadratic(matrix), Ball(0.3))
    assert found.rise == pytest.approx(0.3**2 * np.linalg.eigvalsh(matrix)[-1] / 2, rel=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_ball_and_box_with_a_slope_against_a_fine_grid(seed):
    matrix, slope = random_symmetric(2, seed), np.random.default_rng(100 + seed).normal(size=2)
    objective = quadratic(matrix, offset=3.0, slope=slope)
    nodes = np.array(list(itertools.product(np.linspace(-1, 1, 401), repeat=2)))
    rises = nodes @ slope + np.einsum("ni,ij,nj->n", nodes, matrix, nodes) / 2
    angles = np.linspace(0, 2 * np.pi, 4001)
    rim = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    on_rim = rim @ slope + np.einsum("ni,ij,nj->n", rim, matrix, rim) / 2
    in_ball = max(rises[(nodes**2).sum(1) <= 1].max(), on_rim.max())
    assert climb(objective, Box(1.0)).rise == pytest.approx(rises.max(), rel=1e-3)
    assert climb(objective, Ball(1.0)).rise == pytest.approx(in_ball, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_box_against_every_vertex(seed):
    matrix = random_symmetric(7, seed)
    matrix = matrix @ matrix  # convex: the largest value lies at a vertex
    widths = np.random.default_rng(seed).uniform(0.1, 1, size=7)
    vertices = np.array(list(itertools.product([-1, 1], repeat=7))) * widths
    best = (np.einsum("ni,ij,nj->n", vertices, matrix, vertices) / 2).max()
    found = climb(quadratic(matrix), Box(torch.from_numpy(widths)), restarts=12)
    assert found.rise == pytest.approx(best, rel=1e-6)


def test_the_course_never_falls_and_ends_at_the_rise():
    found = climb(quadratic(random_symmetric(6, 0)), Ball(1.0), steps=15)
    assert len(found.course) == 16
    assert list(found.course) == sorted(found.course)
    assert found.course[-1] == found.rise


@pytest.mark.parametrize("place", [Ball(1.0), Box(1.0)])
def test_nothing_to_climb(place):
    assert climb(quadratic(np.zeros((3, 3)), offset=1.0), place).rise == 0
    assert climb(quadratic(-np.eye(3), offset=1.0), place).rise == 0  # the weights are the maximum themselves


def test_it_says_where_it_was_whether_it_ended_by_itself_and_what_rests_on_one_start():
    objective = quadratic(random_symmetric(6, 1), slope=np.ones(6))
    found = climb(objective, Ball(1.0), restarts=3)
    assert objective.loss(found.displacement) - objective.loss() == pytest.approx(found.rise)
    assert found.converged
    assert not climb(objective, Ball(1.0), steps=1).converged
    assert climb(objective, Ball(1.0), restarts=0).seed_stderr is None
    same_end = climb(quadratic([[0.0]], slope=[2.0]), Box(1.0), restarts=2)  # whichever the start
    assert same_end.seed_stderr == pytest.approx(0)


def test_several_radii_in_whatever_order_each_as_by_itself():
    matrix = random_symmetric(12, 3) @ random_symmetric(12, 3)
    radii = (0.5, 0.1, 0.3)
    generator = torch.Generator().manual_seed(0)
    found = highest(quadratic(matrix), [Ball(r) for r in radii], restarts=2, steps=60, generator=generator)
    top = np.linalg.eigvalsh(matrix)[-1]
    assert [each.rise for each in found] == pytest.approx([r**2 * top / 2 for r in radii], rel=2e-3)
    assert [each.displacement.norm().item() for each in found] == pytest.approx(radii)


class Some:
    """A function over some of the examples: the same, somewhat wrong, and counted."""

    def __init__(self, function, error):
        self.function, self.error, self.gradients = function, error, 0

    def normal(self, generator):
        return self.function.normal(generator)

    def loss_and_gradient(self, displacement=None):
        self.gradients += 1
        loss, gradient = self.function.loss_and_gradient(displacement)
        return loss * self.error, gradient * self.error


class Hills:
    """Two hills on the line: a low one where the slope at 0 points to, one of twice the height on the other side."""

    gradients = 0

    def normal(self, generator):
        return torch.randn(1, generator=generator, dtype=torch.float64)

    def loss_and_gradient(self, displacement=None):
        self.gradients += 1
        x = torch.zeros(1, dtype=torch.float64) if displacement is None else displacement.clone()
        x.requires_grad_()
        loss = (torch.exp(-8 * (x - 0.7) ** 2) + 2 * torch.exp(-8 * (x + 0.9) ** 2)).sum() + 0.05 * x.sum()
        return loss.item(), torch.autograd.grad(loss, x)[0]


def test_a_higher_hill_that_a_random_start_finds_on_some_is_climbed_on_all():
    def found(restarts):
        generator = torch.Generator().manual_seed(3)
        (top,) = highest(
            Hills(), [Ball(1.0)], restarts=restarts, steps=40, generator=generator, some=Some(Hills(), 1.1)
        )
        return top

    heights = np.array([Hills().loss_and_gradient(torch.tensor([x]).double())[0] for x in np.linspace(-1, 1, 4001)])
    base = Hills().loss_and_gradient()[0]
    assert found(8).rise == pytest.approx(heights.max() - base, rel=1e-3)
    assert found(8).seed_stderr < 0.01, "two starts came there, so that it rests on none"
    assert found(0).rise == pytest.approx(heights[2000:].max() - base, rel=1e-3)
    assert found(0).seed_stderr is None


def test_most_of_the_work_is_on_some_and_the_end_is_of_all():
    matrix = random_symmetric(30, 5) @ random_symmetric(30, 5)
    whole, some = Some(quadratic(matrix), 1.0), Some(quadratic(matrix), 0.5)
    (top,) = highest(whole, [Ball(0.2)], restarts=6, steps=40, generator=torch.Generator().manual_seed(0), some=some)
    assert top.rise == pytest.approx(0.02 * np.linalg.eigvalsh(matrix)[-1], rel=5e-3)
    assert some.gradients > 2 * whole.gradients


@pytest.mark.parametrize("seed", range(2))
def test_no_lower_than_many_plain_climbs_on_a_network(seed):
    """Plain: projected gradient ascent from four starts, 150 gradients each."""
    case = make("mlp", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y)
    generator = torch.Generator().manual_seed(seed)
    for place, least in ((Ball(0.5), 0.99), (Box(0.02), 0.97)):
        (found,) = highest(objective, [place], restarts=2, steps=20, generator=generator)
        best = 0.0
        for _ in range(4):
            point = place.furthest(torch.randn(objective.dimension, generator=generator, dtype=torch.float64))
            for step in range(150):
                _, gradient = objective.loss_and_gradient(point)
                point = place.project(point + place.furthest(gradient) / (1 + step / 10))
            best = max(best, objective.loss(point) - objective.loss())
        assert found.rise > least * best
