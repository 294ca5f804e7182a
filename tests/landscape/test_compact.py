"""Eigenvalues in few float32 vectors: against dense matrices, within the memory that was promised, or refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import make
from torch import nn
from torch.nn import functional

from landscape import top_eigenvalues
from landscape.objective.objective import Objective
from landscape.objective.room import Vectors
from landscape.spectrum.compact.basis import Compact
from landscape.spectrum.compact.search import LEAST_ROWS, CompactSearch, compact_eigenpairs
from landscape.spectrum.operators.empirical_fisher import EmpiricalFisher
from landscape.spectrum.operators.ggn import GaussNewton
from landscape.spectrum.operators.hessian import Hessian
from minima.store.command import BadInput

ROOT = Path(__file__).parents[2]


def normal(size, seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(size, generator=generator, dtype=torch.float64)


def diagonal(values, top, rows, seed=0, **keywords):
    return compact_eigenpairs(lambda v: values * v, normal(len(values), seed), len(values), top, rows, **keywords)


@pytest.mark.parametrize("kind", ["mlp", "conv", "batchnorm", "attention", "masked"])
@pytest.mark.parametrize(
    ("operator", "dense"), [(Hessian, "hessian"), (GaussNewton, "ggn"), (EmpiricalFisher, "fisher")]
)
def test_as_the_dense_matrix_says(kind, operator, dense):
    case = make(kind)
    objective = Objective(case.model, case.x, case.y, masks=case.masks, memory=0)
    matrix = getattr(Dense(case.model, case.x, case.y, case.masks), dense)()
    exact = torch.linalg.eigvalsh(matrix).flip(0).numpy()
    for top in (1, 3):
        product, generator = operator().product(objective), torch.Generator().manual_seed(top)
        draw = lambda: objective.normal(generator)  # noqa: B023, E731
        found = compact_eigenpairs(product, draw, objective.dimension, top, top + LEAST_ROWS + 4)
        if found.converged:
            np.testing.assert_allclose(found.values, exact[:top], rtol=2e-3)
        images = found.vectors.double() @ matrix
        true = (images - torch.from_numpy(found.values.copy())[:, None] * found.vectors.double()).norm(dim=1)
        np.testing.assert_allclose(
            found.residuals, true.numpy() / np.maximum(abs(found.values), 1e-6 * exact[0]), atol=1e-4
        )
        if top == 1:
            assert found.converged


def outlying(seed):
    """A bulk, and some eigenvalues beyond it on either side."""
    draw = np.random.default_rng(seed)
    heads, tails = np.sort(draw.uniform(1.5, 9, 6)), -np.sort(draw.uniform(1.2, 4, 3))
    return torch.from_numpy(np.sort(np.concatenate([draw.uniform(-0.3, 1, 400), heads, tails]))[::-1].copy())


@pytest.mark.parametrize(("top", "rows"), [(1, 7), (3, 9), (5, 20)])
def test_what_converged_is_right(top, rows):
    converged = 0
    for seed in range(25):
        values = outlying(seed)
        found = diagonal(values, top, rows, seed, max_products=300)
        if found.converged:
            converged += 1
            np.testing.assert_allclose(found.values, values[:top], rtol=1e-3)
    assert converged >= 23


def test_both_ends_and_by_magnitude():
    for seed in range(10):
        values = outlying(seed)
        found = diagonal(values, 2, 14, seed, bottom=2, max_products=300)
        assert found.converged
        np.testing.assert_allclose(found.values, values[:2], rtol=1e-3)
        np.testing.assert_allclose(found.bottom.values, values.flip(0)[:2], rtol=1e-3)
        largest = diagonal(values, 3, 14, seed, by="magnitude", max_products=300)
        assert largest.converged
        np.testing.assert_allclose(sorted(abs(largest.values)), values.abs().sort().values[-3:], rtol=1e-3)


def test_a_copy_of_an_eigenvalue_is_found_or_missed_with_a_word():
    values = torch.cat([torch.tensor([4.0, 4.0, 4.0, 2.0]), torch.linspace(-0.5, 1, 300)]).double()
    ample, least = diagonal(values, 3, 20), diagonal(values, 3, 3 + LEAST_ROWS)
    assert ample.converged
    np.testing.assert_allclose(ample.values, [4, 4, 4], rtol=1e-3)
    assert not least.converged or np.allclose(least.values, [4, 4, 4], rtol=1e-3)


def test_a_residual_below_float32_is_not_claimed():
    values = outlying(0)
    matrix, found = values.double(), diagonal(values, 1, 12, tolerance=1e-12, max_products=60)
    true = (matrix * found.vectors[0].double() - found.values[0] * found.vectors[0].double()).norm() / found.values[0]
    assert found.residuals[0] == pytest.approx(true.item(), rel=1e-3)


HELD = """
import re, sys, torch
from landscape.spectrum.compact import basis
from landscape.spectrum.compact.search import compact_eigenpairs

size, rows, basis.BLOCK = 1_000_000, int(sys.argv[1]), 2**12
torch.set_num_threads(1)
values = torch.linspace(0, 1, size, dtype=torch.float64) ** 16
draw = lambda: torch.randn(size, dtype=torch.float64)

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

def product(vector):
    return vector.double().mul_(values)

torch.linalg.eigh(torch.eye(5, dtype=torch.float64))
before = peak()
compact_eigenpairs(product, draw, size, 1, rows, max_products=rows + 6)
print((peak() - before) / (4 * size))
"""


@pytest.mark.parametrize("rows", [8, 24])
def test_no_more_vectors_are_held_than_were_promised(rows):
    """Beside the rows a vector or two in float64, and blocks."""
    line = [sys.executable, "-c", HELD, str(rows)]
    done = subprocess.run(
        line, capture_output=True, check=True, cwd=ROOT, env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    )
    held = float(done.stdout)
    assert rows < held < rows + 2 * 2 + 3.5


def linear(inputs):
    """Softmax regression, whose Hessian is J^T M J of a J that is linear in the data: as large as it, dense."""
    torch.manual_seed(0)
    model, x, y = nn.Linear(inputs, 3, bias=False), torch.rand(6, inputs), torch.arange(6) % 3
    nn.init.normal_(model.weight, std=inputs**-0.5)
    p = functional.linear(x.double(), model.weight.double()).softmax(1).detach()
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None]  # (N, C, C)
    roots = torch.linalg.eigh(middle)
    half = roots.eigenvectors * roots.eigenvalues.clamp_min(0).sqrt()[:, None]  # M_i = half half^T
    gram = torch.einsum("icd,ij,jce->idje", half, x.double() @ x.double().T, half) / len(x)
    return model, x, y, torch.linalg.eigvalsh(gram.reshape(18, 18)).flip(0)


def test_a_network_that_does_not_fit_is_measured_in_fewer_vectors_and_it_is_said():
    model, x, y, exact = linear(150_000)
    ample, short = (top_eigenvalues(model, (x, y), k=1, memory=gib) for gib in (4, 0.25))
    assert ample.vectors.dtype == torch.float64
    assert short.vectors.dtype == torch.float32
    assert short.converged
    assert any("the basis is" in each and "in float32" in each for each in short.notes)
    assert not any("float32" in each for each in ample.notes)
    for found in (ample, short):
        np.testing.assert_allclose(found.values, exact[:1], rtol=1e-3)
    np.testing.assert_allclose(ample.stderr, short.stderr, rtol=1e-2)


def test_what_does_not_fit_even_so_is_refused_with_the_amount_to_type():
    model, x, y, _ = linear(470_000)
    with pytest.raises(BadInput, match=rf"and {1 + LEAST_ROWS} vectors in float32 takes up to .*\nType --memory 0.3"):
        top_eigenvalues(model, (x, y), k=1, memory=0.25)


def test_room_is_shared_between_vectors_and_examples():
    model, x, y, _ = linear(350_000)
    objective = Objective(model, x, y, memory=int(0.75 * 2**28))
    objective.room.reserve(objective, Vectors(33, 7))
    keeper = objective.keeper
    assert 7 <= keeper.rows < 33
    assert keeper.memory == 0  # no graphs
    again = keeper.rows
    objective.room.reserve(objective, Vectors(33, 7))
    assert keeper.rows == again
    assert objective.part(0, 2).keeper.rows == again


class Watched(CompactSearch):
    """A search that counts the steps of its last witness, and the vectors that it had."""

    steps: list[int]

    def _call(self, ritz):
        self.steps = []
        super()._call(ritz)

    def _follow(self, witness, row):
        super()._follow(witness, row)
        self.steps.append(len(self.window))


def test_a_witness_goes_on_where_there_is_no_room_for_its_first_vectors():
    went_on = 0
    for seed in range(6):
        values = outlying(seed)
        search = Watched(Compact(lambda v, own=values: own * v, normal(409, seed), 409, 7), 1, 0, "value", 1e-3)
        search.run(300, None)
        assert max(search.steps) <= 7 - 2
        if search.converged:
            assert search.result(0).values[0] == pytest.approx(values[0].item(), rel=1e-3)
            went_on += len(search.steps) > max(search.steps)
    assert went_on >= 3
