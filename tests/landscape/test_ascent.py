"""The inner maximisation against closed forms and brute force."""

import itertools

import numpy as np
import pytest
import torch
from oracles.quadratic import quadratic

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
