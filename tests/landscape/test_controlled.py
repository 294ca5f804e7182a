"""Draws held against what is known of them: unbiased, covered by their errors, and fewer."""

import numpy as np
import pytest
import torch
from oracles.quadratic import quadratic

from landscape.objective.streams import stream
from landscape.sharpness.controlled import controlled
from landscape.sharpness.leading import LEADING, Leading, largest
from landscape.sharpness.measures.average import Average
from landscape.sharpness.measures.trace import Trace


def decaying(size, seed, power=1.0):
    """A matrix with the eigenvalues 10 / i^power."""
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]
    return (basis * (10 / np.arange(1, size + 1) ** power)) @ basis.T


def test_leading_is_most_of_a_decaying_curvature_and_its_form_has_its_trace_as_mean():
    matrix = decaying(200, 0)
    found = largest(quadratic(matrix), lambda objective: objective, relative=False, seed=0)
    leading = found.leading
    assert found.value == pytest.approx(10, rel=1e-3)
    assert len(leading.values) <= LEADING
    dense = (leading.vectors.double().T * leading.values) @ leading.vectors.double()
    assert leading.trace == pytest.approx(dense.trace().item())
    assert np.linalg.norm(matrix - dense.numpy()) < 0.5 * np.linalg.norm(matrix)
    some = torch.randn(5, 200, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert leading.form(some).tolist() == pytest.approx(((some @ dense) * some).sum(1).tolist(), rel=1e-5)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_intervals_cover_whatever_the_control_is_worth(power):
    """Over 400 repetitions: 92 % or more within 2.2 errors, and no bias."""
    matrix, repetitions = decaying(60, 1, power), 400
    values, vectors = np.linalg.eigh(matrix)
    leading = Leading(torch.from_numpy(values[-5:].copy()), torch.from_numpy(vectors[:, -5:].T.copy()))
    scores, misses = [], []
    for seed in range(repetitions):
        generator = stream(seed, "trace")

        def draw(count, generator=generator):
            signs = 2.0 * torch.randint(0, 2, (count, 60), generator=generator).double() - 1
            return ((signs @ torch.from_numpy(matrix)) * signs).sum(1).tolist(), leading.form(signs).tolist()

        found = controlled(draw, leading.trace, 64)
        misses.append(found.value - np.trace(matrix))
        scores.append(misses[-1] / max(found.stderr, 1e-9))
    hits = np.mean(np.abs(scores) < 2.2)
    assert 0.92 < hits <= 1, hits
    assert abs(np.mean(misses)) <= 4 * np.std(misses) / np.sqrt(repetitions) + 1e-9


def test_as_precise_as_so_many_plain_draws_with_fewer():
    draws = []
    for seed in range(60):
        generator = np.random.default_rng(seed)

        def draw(count, generator=generator):
            control = generator.normal(size=count)
            draws[-1] += count
            return (3 + control + 0.4 * generator.normal(size=count)).tolist(), control.tolist()

        draws.append(0)
        found = controlled(draw, 0.0, 100)
        assert found.value == pytest.approx(3, abs=5 * found.stderr)
    assert 14 <= np.mean(draws) <= 25  # (1 + 0.16) / 0.16 = 7 times fewer than 100


def test_a_control_that_tells_nothing_costs_no_more_than_plain_draws():
    generator = np.random.default_rng(0)

    def draw(count):
        return generator.normal(size=count).tolist(), (100 * generator.normal(size=count)).tolist()

    assert len(controlled(draw, 0.0, 30).samples) == 30


@pytest.mark.parametrize("measure", [Trace(probes=64), Average(rho=(0.05, 0.1, 0.2), pairs=64)])
def test_a_search_serves_all_measures_and_none_depends_on_the_others(measure):
    objective = quadratic(decaying(40, 3))
    alone = measure.measure(quadratic(decaying(40, 3)), 0)
    largest(objective, lambda own: own, relative=False, seed=0)
    Trace().measure(objective, 0)
    assert measure.measure(objective, 0) == alone


def test_mean_rises_at_every_deviation_against_the_closed_form():
    matrix = decaying(40, 4)
    found = Average(rho=(0.05, 0.1, 0.2), pairs=64).measure(quadratic(matrix), 0)
    for name, value in found.values.items():
        scale = float(name.removeprefix("rho=")) ** 2
        assert value == pytest.approx(scale * np.trace(matrix) / 2, abs=5 * scale / 0.01 * found.stderr)
    assert found.value == pytest.approx(0.005 * np.trace(matrix), abs=4 * found.stderr)
