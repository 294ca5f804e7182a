"""Hutch++, XTrace and the diagonal against dense matrices: exactness, bias and cover of the stated errors."""

import numpy as np
import pytest
import torch

from landscape.spectrum.diagonal import diagonal
from landscape.spectrum.hutchpp import hutchpp
from landscape.spectrum.trace import hutchinson
from landscape.spectrum.xtrace import xtrace
from minima.store.command import BadInput

ESTIMATORS = {"hutchinson": hutchinson, "hutch++": hutchpp, "xtrace": xtrace}
SIZE = 40


def draws(name, seed, size=SIZE):
    generator = torch.Generator().manual_seed(seed)
    if name == "xtrace":
        return lambda: torch.randn(size, generator=generator, dtype=torch.float64)
    return lambda: 2.0 * torch.randint(0, 2, (size,), generator=generator).double() - 1


def decaying(rank=SIZE, power=1.0, size=SIZE):
    """A symmetric matrix with eigenvalues 10 / i^power, every fourth negative."""
    q = torch.linalg.qr(torch.randn(size, size, generator=torch.Generator().manual_seed(7), dtype=torch.float64)).Q
    values = 10.0 / torch.arange(1, size + 1).double() ** power
    values[3::4] *= -1
    values[rank:] = 0
    return (q * values) @ q.T


def estimates(name, matrix, products, seeds=300):
    found = [ESTIMATORS[name](lambda v: v @ matrix, draws(name, seed), products) for seed in range(seeds)]
    return np.array([each.value for each in found]), np.array([each.stderr for each in found])


@pytest.mark.parametrize("name", ["hutch++", "xtrace"])
def test_exact_below_the_rank_it_can_see(name):
    matrix = decaying(rank=4)
    values, _ = estimates(name, matrix, 18, seeds=5)
    np.testing.assert_allclose(values, matrix.trace(), rtol=1e-9)


def test_xtrace_of_nothing_and_of_all_directions():
    zero = xtrace(lambda v: 0 * v, draws("xtrace", 0), 6)
    assert zero.value == 0
    matrix = decaying()
    full = xtrace(lambda v: v @ matrix, draws("xtrace", 0), 2 * SIZE)
    assert full.value == pytest.approx(matrix.trace().item(), rel=1e-6)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("power", [0.5, 1.5])
def test_unbiased_and_the_stated_error_covers(name, power):
    matrix = decaying(power=power)
    values, errors = estimates(name, matrix, 24)
    misses = values - matrix.trace().item()
    assert abs(misses.mean()) < 4 * misses.std() / np.sqrt(len(misses))
    assert 0.85 < np.mean(np.abs(misses) < 2.2 * errors) <= 1.0
    assert 0.6 < np.sqrt(np.mean(errors**2)) / misses.std() < 1.7


def test_sketches_beat_plain_probes_where_the_spectrum_decays():
    matrix = decaying(power=1.5)
    spread = {name: np.std(estimates(name, matrix, 24, seeds=200)[0]) for name in ESTIMATORS}
    assert spread["xtrace"] < spread["hutch++"] < spread["hutchinson"]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_products_are_counted_and_seeds_repeat(name):
    matrix, spent = decaying(), []

    def product(v):
        spent.append(len(v))
        return v @ matrix

    first, again = (ESTIMATORS[name](product, draws(name, 3), 24) for _ in range(2))
    assert sum(spent) == 48
    assert first == again


@pytest.mark.parametrize("name", ["hutch++", "xtrace"])
@pytest.mark.parametrize("products", [1, 6 * SIZE])
def test_too_few_or_too_many_products(name, products):
    with pytest.raises(BadInput, match=f"{products} products"):
        ESTIMATORS[name](lambda v: v, draws(name, 0), products)


def test_the_diagonal_is_exact_unbiased_and_covered():
    matrix = decaying(power=0.5)
    plain = diagonal((v := matrix.diag()).mul, draws("diagonal", 0), 3)
    torch.testing.assert_close(plain.values, v)
    assert plain.stderr.abs().max() < 1e-12
    found = [diagonal(lambda v: v @ matrix, draws("diagonal", seed), 20) for seed in range(200)]
    misses = torch.stack([each.values for each in found]) - matrix.diag()  # (seeds, d)
    errors = torch.stack([each.stderr for each in found])
    assert (misses.mean(0).abs() < 4.5 * misses.std(0) / len(found) ** 0.5).all()
    assert 0.92 < (misses.abs() < 2.09 * errors).double().mean() < 0.98
    assert diagonal(lambda v: v @ matrix, draws("diagonal", 0), 1).stderr.isnan().all()
    with pytest.raises(BadInput, match="0 probes"):
        diagonal(lambda v: v @ matrix, draws("diagonal", 0), 0)
