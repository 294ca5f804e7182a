"""What other tools get wrong about curvature and sharpness, and ours must not.

Those defects that no test beside the thing itself would notice; ragged batches, doubled eigenvalues, .grad and modes
left changed, unused parameters, masks, dropout and density weights are tested in test_objective.py and test_density.py.
"""

import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.quadratic import quadratic
from oracles.small_networks import make
from torch import nn

from landscape.objective.objective import Objective
from landscape.objective.pearlmutter import gradient_graph
from landscape.sharpness.measures.adaptive_sam import AdaptiveSam
from landscape.sharpness.measures.average import Average
from landscape.sharpness.measures.sam import Sam
from landscape.spectrum.density import spectral_density
from landscape.spectrum.lanczos import top_eigenpairs
from landscape.spectrum.trace import hutchinson
from minima.zoo.examples.needs import saved_bytes

STATM = Path("/proc/self/statm")


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(size, seed=0):
    draws = gen(seed)
    return lambda: torch.randn(size, generator=draws, dtype=torch.float64)


def top(product, size, count, draw=None, **keywords):
    return top_eigenpairs(product, draw or normal(size), size, count, **keywords)


def test_changing_little_is_not_having_converged():
    """PyHessian ends when an estimate changes by less than the tolerance: here it still is ten times as far away."""
    values = torch.linspace(0, 1, 3000, dtype=torch.float64)
    found = top(lambda v: values * v, 3000, 1, max_products=300)
    assert found.converged
    assert found.values[0] == pytest.approx(1, rel=1e-3)


def test_standing_still_is_not_having_converged():
    """PyHessian, started beside the largest eigenvalue's vector, stays with the second."""
    values = torch.tensor([10.0, 5.0, *np.linspace(0, 1, 60)], dtype=torch.float64)
    random, beside = normal(62), torch.eye(62, dtype=torch.float64)[1]
    draws = iter([beside, beside])  # one tells the type
    found = top(lambda v: values * v, 62, 1, lambda: next(draws, random()))
    assert found.values[0] == pytest.approx(10, rel=1e-3)


def test_a_value_belongs_to_its_vector():
    """PyHessian returns the value of the iterate before the vector."""
    case = make("conv")
    objective = Objective(case.model, case.x, case.y)
    found = top(objective.hvp, objective.dimension, 3)
    quotients = (found.vectors * objective.hvp(found.vectors)).sum(1)
    np.testing.assert_allclose(found.values, quotients, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_tiny_and_huge_hessians_scale(scale):
    """PyHessian adds 1e-6 to norms and denominators, hessian-eigenthings calls what is below 1e-12 zero."""
    matrix = torch.randn(8, 8, generator=gen(), dtype=torch.float64)
    matrix = matrix @ matrix.T
    one, other = quadratic(matrix), quadratic(scale * matrix)
    for measured in (
        lambda objective: top(objective.hvp, 8, 2).values[1],
        lambda objective: hutchinson(objective.hvp, normal(8), 5).value,
        lambda objective: spectral_density(objective.hvp, normal(8), 8, probes=2, steps=4).moment(2) ** 0.5,
        lambda objective: Sam(restarts=1).measure(objective, 0).value,
        lambda objective: Average(pairs=2).measure(objective, 0).value,
    ):
        assert measured(other) == pytest.approx(scale * measured(one), rel=1e-6)


def test_products_that_are_not_quite_symmetric_give_real_numbers():
    """PyHessian and Landscaper take the eigenvalues of a general matrix: complex ones, of skewed vectors."""
    noise = 1e-6 * torch.randn(40, 40, generator=gen(), dtype=torch.float64)
    matrix = torch.diag(torch.linspace(1, 5, 40, dtype=torch.float64)) + noise
    density = spectral_density(matrix.mv, normal(40), 40, probes=2, steps=30)
    for numbers in (top(matrix.mv, 40, 5).values, *density.nodes, *density.weights):
        assert numbers.dtype == np.float64
        assert numbers.ndim == 1
    assert [weights.sum() for weights in density.weights] == pytest.approx([1, 1])


def test_a_negative_trace_takes_all_its_probes():
    """PyHessian divides by the trace in its stopping rule, so that a negative one ends it after two probes."""
    matrix = torch.randn(9, 9, generator=gen(), dtype=torch.float64)
    matrix = matrix + matrix.T - 20 * torch.eye(9)
    draws = gen(1)
    found = hutchinson(lambda v: v @ matrix, lambda: torch.randint(0, 2, (9,), generator=draws).double() * 2 - 1, 50)
    assert len(found.samples) == 50
    assert abs(found.value - matrix.trace()) < 4 * found.stderr


@pytest.mark.parametrize("kind", ["mlp", "conv", "batchnorm"])
def test_a_random_product_in_single_precision(kind):
    """hessian-eigenthings' central differences are wrong by 70 % there: rounding, and the kinks of ReLU."""
    case = make(kind)
    objective = Objective(case.model, case.x, case.y)
    exact = Dense(case.model, case.x, case.y).hessian()
    vector = objective.normal(gen())
    vector /= vector.norm()
    assert (objective.hvp(vector) - exact @ vector).norm() < 1e-5 * (exact @ vector).norm()


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1))

    def forward(self, x):
        return x @ self.weight


def test_sums_over_chunks_are_in_double_precision():
    """All tools add chunks up in the network's own precision: what cancels is lost."""
    x, weigh = torch.tensor([[1e4], [1.0], [1e4]]), torch.tensor([1.0, 1.0, -1.0])
    line = Objective(Linear(), x**2, weigh, loss=lambda out, y: y * out[:, 0], batch_size=1)
    bowl = Objective(Linear(), x, weigh, loss=lambda out, y: y * out[:, 0] ** 2, batch_size=1)
    assert line.gradient().item() == pytest.approx(1 / 3)
    assert bowl.hvp(torch.ones(1)).item() == pytest.approx(2 / 3)


@pytest.mark.skipif(not STATM.exists(), reason="the system does not say how much memory a process holds")
def test_memory_does_not_grow_with_streamed_products():
    """PyHessian's backward with create_graph leaves a graph at each product, tied to itself by .grad."""
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))
    objective = Objective(model, torch.randn(1024, 1, 8, 8), torch.arange(1024) % 10, batch_size=256, memory=0)
    graphs = saved_bytes(lambda: [gradient_graph(chunk) for chunk in objective.chunks()])

    def held():
        return int(STATM.read_text().split()[1]) * resource.getpagesize()

    for _ in range(3):
        objective.hvp(objective.point)
    before = held()
    for _ in range(10):
        objective.hvp(objective.point)
    assert held() - before < 2 * graphs


class Watched(nn.Module):
    """A network that notes the largest relative distance from its weights at which it was looked at."""

    def __init__(self, model):
        super().__init__()
        self.inner = model
        self.home = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.distance, self.left_zero = 0.0, False

    def forward(self, x):
        squares = 0.0
        for name, p in self.inner.named_parameters():
            home = self.home[name]
            moved = (p - home).detach()
            self.left_zero |= bool(moved[home == 0].any())
            squares += ((moved / home)[home != 0] ** 2).sum().item()
        self.distance = max(self.distance, squares**0.5)
        return self.inner(x)


def test_weights_that_are_zero_do_not_let_the_adaptive_ascent_out_of_its_ball():
    """tml-epfl's norm of delta / |w| is NaN with a zero weight, and a NaN is never too long to be projected."""
    case = make("masked", dtype=torch.float64)
    watched = Watched(case.model)
    objective = Objective(watched, case.x, case.y)
    objective.gradient()
    watched.distance, watched.left_zero = 0.0, False  # of the check of derivatives
    found = AdaptiveSam(rho=(0.05, 0.1), rho_infinity=(), steps=10, restarts=2).measure(objective, 0)
    assert 0 < found.value < float("inf")
    assert 0.099 < watched.distance < 0.1 * (1 + 1e-6)
    assert not watched.left_zero
