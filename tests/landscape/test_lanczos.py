"""Top eigenvalues against dense ones: P1-10, degenerate, tiny and pathological operators, and whole networks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.dense_landscape import Dense
from oracles.quadratic import quadratic
from oracles.small_networks import KINDS, make

from landscape.objective.objective import Objective
from landscape.spectrum.krylov import Krylov
from landscape.spectrum.lanczos import LEAST_ROOM, top_eigenpairs
from landscape.spectrum.missed import RISK, Witness
from minima.store.command import BadInput

P1_10 = [[2.0, 1, 0], [1, 3, 1], [0, 1, 4]]


def operator(values, seed=0):
    """A symmetric matrix with these eigenvalues."""
    values = torch.tensor(values, dtype=torch.float64)
    basis, _ = torch.linalg.qr(torch.randn(len(values), len(values), generator=gen(seed), dtype=torch.float64))
    return basis @ torch.diag(values) @ basis.T


def gen(seed):
    return torch.Generator().manual_seed(seed)


def normal(size, seed):
    generator = gen(seed)
    return lambda: torch.randn(size, generator=generator, dtype=torch.float64)


def diagonal(values, top=5, seed=0, **keywords):
    return top_eigenpairs(values.mul, normal(len(values), seed), len(values), top, **keywords)


def solve(matrix, top, seed=0, **keywords):
    generator = gen(100 + seed)
    draw = lambda: torch.randn(len(matrix), generator=generator, dtype=torch.float64)  # noqa: E731
    return top_eigenpairs(matrix.mv, draw, len(matrix), top, **keywords)


def of(objective, top):
    generator = gen(0)
    return top_eigenpairs(objective.hvp, lambda: objective.normal(generator), objective.dimension, top)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-10, 10), min_size=2, max_size=40), st.integers(1, 6), st.sampled_from(["value", "magnitude"])
)
def test_any_spectrum(values, top, by):
    values = [0.0 if abs(value) < 1e-6 else value for value in values]
    top = min(top, len(values))
    found = solve(operator(values), top, by=by)
    key = (lambda value: -value) if by == "value" else (lambda value: -abs(value))
    expected = sorted(sorted(values, key=key)[:top], reverse=True)
    if by == "magnitude":  # +-l are as large as each other: either may be chosen
        np.testing.assert_allclose(sorted(map(abs, found.values)), sorted(map(abs, expected)), rtol=1e-3, atol=1e-9)
    else:
        np.testing.assert_allclose(found.values, expected, rtol=1e-3, atol=1e-9)
    assert list(found.values) == sorted(found.values, reverse=True)


@pytest.mark.parametrize(
    ("values", "top"), [([0.0, 0, 1, 1, 1, 1], 4), ([5.0, 4, 4, -3, 1, 0], 3), ([-5.0, -4, -4, 3, 1, 0], 3)]
)
def test_by_magnitude_no_copy_is_missed_at_one_end_for_what_is_less_at_the_other(values, top):
    largest = sorted(map(abs, values), reverse=True)[:top]
    for seed in range(200):
        found = solve(torch.diag(torch.tensor(values, dtype=torch.float64)), top, seed, by="magnitude")
        np.testing.assert_allclose(sorted(map(abs, found.values), reverse=True), largest, rtol=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        [5.0, 5.0, 5.0, 4.0, 3.0, 2.0, *np.linspace(-1, 1, 80)],  # multiple
        [5.0, 4.9, 4.8, 4.7, 4.6, 4.59, *np.linspace(0, 4, 80)],  # a near pair at the end
        [3.0, 2.0, 1.0, 1e-3, 0.99e-3, 0.98e-3, *np.linspace(-1e-4, 1e-4, 80)],
        [1.0] * 50,
        [0.0] * 50,
        [1.0] + [0.0] * 60,
        [-1.0, -2.0, -3.0, -4.0, -5.0, *np.linspace(-100, -6, 80)],
        [1e-12 * k for k in range(60)],
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hard_spectra(values, seed):
    found = solve(operator(values, seed), 5, seed=seed)
    np.testing.assert_allclose(found.values, sorted(values, reverse=True)[:5], rtol=1e-3, atol=1e-12 * max(values))
    assert found.converged


def clustered(seed):
    """A bulk, and beyond it eigenvalues of which one or two come in groups of two or three: equal, or nearly so."""
    draw = np.random.default_rng(seed)
    bulk = draw.uniform(-0.3, 1, int(draw.integers(100, 400))) * draw.uniform(0.02, 1)
    heads = np.sort(draw.uniform(0.3, 5, int(draw.integers(5, 9)))) + bulk.max() * draw.uniform(0, 1)
    values = [*bulk, *heads]
    for head in draw.choice(heads, size=int(draw.integers(1, 3)), replace=False):
        gaps = draw.choice([0, 1], p=[0.2, 0.8]) * 10 ** draw.uniform(-7, -1.3, int(draw.integers(1, 3)))
        values += list(head * (1 - gaps))
    return np.sort(values)[::-1].copy()


def test_near_and_multiple_eigenvalues_are_told_apart():
    """But for the stated risk that a random start has next to no part of one: of 240 answers, 1 is wrong on average."""
    wrong = []
    for seed in range(240):
        values = torch.from_numpy(clustered(seed))
        found = diagonal(values, seed=seed)
        assert found.converged
        if not np.allclose(found.values, values[:5], rtol=1e-3):
            wrong.append(seed)
    assert len(wrong) <= 2, wrong


def test_the_bottom_from_the_same_basis():
    for seed in range(20):
        values = -torch.from_numpy(np.append(clustered(seed), [-5.0, -6.0]))
        found = diagonal(values, 2, seed, bottom=5)
        assert found.converged
        np.testing.assert_allclose(found.values, [6, 5], rtol=1e-3)
        np.testing.assert_allclose(found.bottom.values, values[:5], rtol=1e-3)
        images = found.bottom.vectors * values
        differences = images - torch.from_numpy(found.bottom.values.copy())[:, None] * found.bottom.vectors
        np.testing.assert_allclose(
            differences.norm(dim=1) / abs(found.bottom.values), found.bottom.residuals, atol=1e-12
        )


def test_what_is_known_and_what_is_given_save_products():
    values = torch.cat([torch.tensor([5.0, 4.0, 3.0, 2.5, 2.0]), torch.linspace(-0.5, 1, 2000)]).double()
    cold, vector = diagonal(values), values**2  # a vector that leans towards the first, as a gradient does
    informed = diagonal(values, known=(vector, values * vector))
    warm = diagonal(values, start=cold.vectors.float().sum(0))
    for found in (cold, informed, warm):
        np.testing.assert_allclose(found.values, values[:5], rtol=1e-3)
    assert informed.products < cold.products
    assert warm.products < cold.products - 4
    assert diagonal(values, known=(0 * vector, 0 * vector)).converged  # the gradient vanishes: as if it were not given


@pytest.mark.parametrize("by", ["value", "magnitude"])
@pytest.mark.parametrize("bottom", [0, 3])
def test_a_bounded_basis_finds_the_same(by, bottom):
    values = torch.cat([torch.linspace(-1, 1, 900), 1 + 0.1 * torch.arange(1, 8), -1 - 0.12 * torch.arange(1, 5)])
    sizes, matrix = [], values.double()

    def product(vector):
        sizes.append(vector.untyped_storage().nbytes() // (8 * len(values)))  # of the whole basis
        return matrix * vector

    draw = normal(len(values), 1)
    keywords = {"by": by, "bottom": bottom, "max_products": 1000}
    whole = top_eigenpairs(product, draw, len(values), **keywords)
    peak = max(sizes)
    sizes.clear()
    bounded = top_eigenpairs(product, draw, len(values), memory=8 * 45 * len(values), **keywords)
    assert whole.converged
    assert bounded.converged
    np.testing.assert_allclose(bounded.values, whole.values, rtol=1e-3)
    np.testing.assert_allclose(bounded.bottom.values, whole.bottom.values, rtol=1e-3)
    assert max(sizes) <= 46 < peak
    sizes.clear()
    np.testing.assert_allclose(
        top_eigenpairs(product, draw, len(values), memory=0, **keywords).values, whole.values, rtol=1e-3
    )
    assert max(sizes) <= 5 + bottom + LEAST_ROOM + 1


def test_a_witness_bounds_what_it_cannot_have_missed():
    """How often the level is below the largest eigenvalue: at most the stated risk, whatever the number of steps."""
    values = torch.cat([torch.linspace(0, 1, 300), torch.tensor([1.5])]).double()
    wrong = []
    for seed in range(600):
        basis = Krylov(values.mul, normal(301, seed), 301)
        basis.start()
        witness = Witness(301, 0)
        for _ in range(9):
            witness.add(*basis.follow(witness.next), basis.pending[-1])
            wrong.append(witness.levels()[0] < 1.5)
    assert np.mean(np.reshape(wrong, (600, 9)).any(1)) <= 2 * RISK


def test_residuals_are_those_of_the_vectors():
    matrix = operator([*np.linspace(0, 1, 60), 2.0, 3.0, 5.0])
    noise = 1e-5 * torch.randn(63, 63, generator=gen(7), dtype=torch.float64)  # products are never exactly symmetric
    found = solve(matrix + noise, 4)
    images = found.vectors @ (matrix + noise).T
    differences = images - torch.from_numpy(found.values.copy())[:, None] * found.vectors
    true = differences.norm(dim=1).numpy() / np.abs(found.values)
    np.testing.assert_allclose(found.residuals, true, rtol=1e-6)
    torch.testing.assert_close(found.vectors @ found.vectors.T, torch.eye(4, dtype=torch.float64))


def test_all_eigenvalues_but_not_more():
    matrix = torch.tensor(P1_10, dtype=torch.float64)
    np.testing.assert_allclose(solve(matrix, 3).values, [3 + math.sqrt(3), 3, 3 - math.sqrt(3)])
    with pytest.raises(BadInput, match="4 eigenvalues"):
        solve(matrix, 4)


def test_a_limit_is_reported():
    found = solve(operator(np.linspace(0, 1, 200)), 5, max_products=7)
    assert not found.converged
    assert found.products == 7
    assert found.residuals.max() > 1e-3


@pytest.mark.parametrize(
    ("subspace", "expected"),
    [("survivors", [4, 2]), ("full", [3 + math.sqrt(3), 3, 3 - math.sqrt(3)])],  # interlaced, as Cauchy has it
)
def test_masked_hessian_P1_10(subspace, expected):
    objective = quadratic(P1_10, masks={"weight": torch.tensor([[True, False, True]])}, subspace=subspace)
    np.testing.assert_allclose(of(objective, len(expected)).values, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subspace", ["survivors", "full"])
def test_networks_top_five(kind, subspace):
    case = make(kind)
    objective = Objective(case.model, case.x, case.y, masks=case.masks, subspace=subspace, batch_size=7)
    expected = torch.linalg.eigvalsh(Dense(case.model, case.x, case.y, case.masks).hessian(subspace)).flip(0)[:5]
    found = of(objective, 5)
    np.testing.assert_allclose(found.values, expected, rtol=1e-3)
    assert found.products <= objective.dimension


def test_masking_never_raises_the_largest():
    case = make("masked")
    dense = Dense(case.model, case.x, case.y, case.masks)
    objective = Objective(case.model, case.x, case.y, masks=case.masks)
    found = of(objective, 5).values
    full = torch.linalg.eigvalsh(dense.hessian("full")).flip(0)
    removed = len(full) - objective.dimension
    assert all(full[i] * (1 + 1e-3) >= found[i] >= full[i + removed] for i in range(5))


def test_a_start_among_what_is_pending_leaves_all_that_is_known() -> None:
    matrix = torch.randn(40, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    matrix = matrix + matrix.T
    basis = Krylov(matrix.mv, normal(40, 1), 40)
    for direction in torch.eye(40, dtype=torch.float64)[:3]:
        basis.add(direction)
    basis.apply(0)
    basis.apply(2)
    before, outside = basis.basis[: basis.size].clone(), torch.eye(40, dtype=torch.float64)[[1, *range(3, 40)]]
    drawn = normal(40, 5)()
    basis.draw = lambda: drawn
    first = basis.start()
    free = drawn - before[[0, 2]].T @ (before[[0, 2]] @ drawn)  # of the applied vectors, and of nothing else
    assert torch.allclose(basis.basis[first], free / free.norm(), atol=1e-12)
    compressed = outside @ matrix @ outside.T  # of what is orthogonal to the applied vectors
    exact, start, last = [], outside @ basis.basis[first], torch.zeros(38, dtype=torch.float64)
    found, following, beside = [], first, 0.0
    for _ in range(6):
        image = compressed @ start - beside * last
        quotient = image @ start
        rest = image - quotient * start
        last, start, beside = start, rest / rest.norm(), rest.norm()
        exact.append((quotient.item(), beside.item()))
        found.append(basis.follow(following))
        following = basis.pending[-1]
    assert np.allclose(found, exact, atol=1e-10)
    known = basis.basis[: basis.size]
    assert torch.allclose(known @ known.T, torch.eye(basis.size, dtype=torch.float64), atol=1e-12)
    for index, column in zip(basis.applied, basis.columns, strict=True):
        assert torch.allclose(known[: len(column)].T @ torch.tensor(column), matrix @ known[index], atol=1e-10)
