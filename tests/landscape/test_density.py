"""Spectral density against dense spectra: mass, moments, masks, outliers, errors."""

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make

from landscape.objective.objective import Objective
from landscape.spectrum.density import outliers, spectral_density, summary
from minima.store.command import BadInput


def normal(size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(size, generator=generator, dtype=torch.float64)


def symmetric(values, seed=3):
    values = torch.as_tensor(values, dtype=torch.float64)
    size = len(values)
    q = torch.linalg.qr(torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).Q
    return (q * values) @ q.T


SPECTRUM = np.concatenate([np.linspace(-0.5, 1.5, 57), [6.0, 8.0, 10.0]])


def of(matrix, seed=0, probes=8, steps=20):
    return spectral_density(matrix.mv, normal(len(matrix), seed), len(matrix), probes=probes, steps=steps)


def integral(found):
    return np.trapezoid(found.values, found.support)


@pytest.mark.parametrize("values", [SPECTRUM, np.ones(20), np.zeros(20), [*np.zeros(17), 1.0, 2.0, -3.0]])
def test_it_integrates_to_one(values):
    found = of(symmetric(values), steps=10)
    assert integral(found) == pytest.approx(1, abs=1e-6)
    assert (found.values >= 0).all()
    for weights in found.weights:
        assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_a_probe_has_its_own_moments_exactly():
    matrix = symmetric(SPECTRUM)
    found = of(matrix, seed=5, probes=1, steps=4)
    draw = normal(len(matrix), 5)
    draw()  # the basis takes its type from one
    start = draw()
    start /= start.norm()
    for power in range(8):  # up to 2 x steps - 1
        expected = start @ torch.linalg.matrix_power(matrix, power) @ start
        assert found.moment(power) == pytest.approx(expected.item(), rel=1e-9)
    assert np.isnan(found.stderr).all()


@pytest.mark.parametrize("kind", ["mlp", "masked"])
def test_the_moments_of_networks_within_the_scatter_of_probes(kind):
    case = make(kind)
    objective = Objective(case.model, case.x, case.y, masks=case.masks)
    hessian = Dense(case.model, case.x, case.y, case.masks).hessian()
    size = objective.dimension
    found = spectral_density(objective.hvp, normal(size), size, probes=60, steps=10)
    for power in (1, 2, 3):
        each = [w @ n**power for w, n in zip(found.weights, found.nodes, strict=True)]
        error = np.std(each, ddof=1) / np.sqrt(len(each))
        expected = torch.linalg.matrix_power(hessian, power).trace() / len(hessian)
        assert abs(found.moment(power) - expected) < 3.5 * error
    first = np.trapezoid(found.values * found.support, found.support)
    assert first == pytest.approx(found.moment(1), abs=1e-6 * found.width + 1e-9)


def test_the_band_covers_the_smoothed_spectrum():
    matrix, inside = symmetric(SPECTRUM), []
    for seed in range(200):
        found = of(matrix, seed, probes=8, steps=len(matrix))  # all steps: what remains is the probes' scatter
        kernels = np.exp(-0.5 * ((found.support[:, None] - SPECTRUM) / found.width) ** 2)
        exact = kernels.mean(1) / found.width / np.sqrt(2 * np.pi)
        seen = exact > 0.05 * exact.max()
        inside.append(np.mean((np.abs(found.values - exact) < 2.36 * found.stderr)[seen]))
    assert 0.88 < np.mean(inside) < 0.99


def test_same_seed_same_bits():
    matrix = symmetric(SPECTRUM)
    first, again, other = of(matrix, 1), of(matrix, 1), of(matrix, 2)
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_outliers_beyond_the_bulk():
    matrix = symmetric(SPECTRUM)
    found = of(matrix, probes=20, steps=40)
    assert 1.4 < found.edge < 6
    density = summary(found, 40, 0.0)
    top = sorted(SPECTRUM, reverse=True)
    read = outliers(density, top[:5], matrix.trace().item(), 3)
    assert (read["count"], read["complete"], read["classes"]) == (3, True, 3)
    assert read["top_share"] == pytest.approx(24 / SPECTRUM.sum())
    few = outliers(density, top[:2], 1.0, 3)
    assert (few["count"], few["complete"], few["top_share"], few["edge"]) == (2, False, None, found.edge)


def test_the_edge_by_the_eigenvalues_does_not_scatter_with_the_probes():
    values = np.concatenate([np.linspace(-0.5, 1.5, 200), np.arange(1.8, 4, 0.25), [5.0, 6.0, 10.0]])
    matrix, top = symmetric(values), sorted(values, reverse=True)[:20]
    found = [of(matrix, seed, probes=3, steps=60) for seed in range(8)]
    width = found[0].width
    steps = np.linspace(0.5, 10, 10_001)  # from within the bulk up
    heights = np.exp(-0.5 * ((steps[:, None] - values) / width) ** 2).sum(1)
    exact = steps[(heights < 0.5).argmax()]
    edges = [outliers(summary(each, 60, 0.0), top, 1.0, 3)["edge"] for each in found]
    assert edges == pytest.approx([exact] * 8, abs=0.2 * width)
    assert len({(values > each.edge).sum() for each in found}) > 1  # what the probes make of it


@pytest.mark.parametrize(("probes", "steps", "words"), [(0, 3, "0 probes"), (2, 0, "0 steps"), (2, 61, "60 coord")])
def test_bad_numbers(probes, steps, words):
    with pytest.raises(BadInput, match=words):
        of(symmetric(SPECTRUM), probes=probes, steps=steps)
