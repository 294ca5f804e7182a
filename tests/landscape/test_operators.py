"""What the curvature operators are to one another, to SciPy, and to what PyTorch cannot differentiate twice."""

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.quadratic import quadratic
from oracles.small_networks import KINDS, make
from scipy.sparse.linalg import eigsh
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from landscape.objective.objective import Objective
from landscape.spectrum.linear_operator import as_linear_operator
from landscape.spectrum.operator import operators
from landscape.spectrum.operators.ggn import GaussNewton
from landscape.spectrum.operators.gradient_covariance import GradientCovariance
from landscape.spectrum.operators.mc_fisher import McFisher, draw_labels
from minima.store.command import BadInput


def objective_of(case, **keywords):
    return Objective(case.model, case.x, case.y, masks=case.masks, **keywords)


def matrix(operator, objective, seed=0):
    return operator.product(objective, seed)(torch.eye(objective.dimension, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_with_cross_entropy_the_exact_fisher_is_the_gauss_newton_matrix(kind):
    case = make(kind, dtype=torch.float64)
    dense = Dense(case.model, case.x, case.y, case.masks)
    probabilities = dense.outputs(dense.w).softmax(1)
    exact = 0
    for label in range(3):  # the expectation over the labels, one by one
        gradients = dense.gradients(torch.full_like(case.y, label))
        exact = exact + (gradients.T * probabilities[:, label]) @ gradients / len(case.y)
    torch.testing.assert_close(matrix(GaussNewton(), objective_of(case)), exact)


def test_monte_carlo_errors_fall_with_the_root_of_the_draws():
    objective = objective_of(make("masked", dtype=torch.float64))
    exact = matrix(GaussNewton(), objective)

    def error(draws):
        squares = [(matrix(McFisher(draws), objective, seed) - exact).norm() ** 2 for seed in range(12)]
        return (sum(squares) / len(squares)).sqrt().item()

    few, many = error(2), error(128)
    assert few / many == pytest.approx(8, rel=0.25)
    assert many < 0.1 * exact.norm()


def test_the_mean_over_seeds_is_unbiased():
    objective = objective_of(make("mlp", dtype=torch.float64))
    exact = matrix(GaussNewton(), objective).trace().item()
    traces = [matrix(McFisher(), objective, seed).trace().item() for seed in range(60)]
    assert abs(np.mean(traces) - exact) < 3 * np.std(traces) / np.sqrt(60)


def test_drawn_labels_are_the_softmax_s_whatever_the_batches_and_the_block():
    case = make("mlp")
    labels = draw_labels(objective_of(case), 4000, seed=1)
    assert torch.equal(labels, draw_labels(objective_of(case, batch_size=5, parameters=["fc3"]), 4000, seed=1))
    assert not torch.equal(labels, draw_labels(objective_of(case), 4000, seed=2))
    shares = nn.functional.one_hot(labels, 3).double().mean(0)
    with torch.no_grad():
        assert (shares - case.model.eval()(case.x).softmax(1)).abs().max() < 4 * (0.25 / 4000) ** 0.5


def test_a_certain_network_draws_its_own_label():
    case = make("mlp")
    objective = Objective(nn.Sequential(case.model, Scale(1e6)), case.x, case.y)
    with torch.no_grad():
        assert (draw_labels(objective, 50, seed=0) == case.model(case.x).argmax(1)).all()


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


def test_labels_are_drawn_from_logits_only():
    case = make("mlp")
    with pytest.raises(BadInput, match="logits"):
        McFisher().product(Objective(case.model, case.x, case.y.double(), loss=lambda out, y: (out[:, 0] - y) ** 2))
    with pytest.raises(BadInput, match="at least 1"):
        McFisher(0).product(objective_of(case))


def test_the_gauss_newton_matrix_of_a_linear_network_is_the_hessian():
    case = make("mlp", dtype=torch.float64)
    objective = Objective(nn.Linear(5, 3).double(), case.x, case.y)
    torch.testing.assert_close(matrix(GaussNewton(), objective), objective.hvp(torch.eye(18, dtype=torch.float64)))


def test_closed_forms_of_a_quadratic():
    slope = torch.tensor([1.0, 2.0], dtype=torch.float64)
    objective = quadratic(3 * torch.eye(2), slope=slope)  # the output is the loss, the same for all examples
    assert not matrix(GaussNewton(), objective).any()
    assert not matrix(GradientCovariance(), objective).any()
    fisher = matrix(operators()["empirical-fisher"](), objective)
    torch.testing.assert_close(fisher, torch.outer(slope, slope))


@pytest.mark.parametrize("name", operators())
def test_eigsh_takes_it(name):
    objective = objective_of(make("masked", dtype=torch.float64))
    product = operators()[name]().product(objective)
    operator = as_linear_operator(product, objective.dimension)
    values = np.linalg.eigvalsh(product(torch.eye(objective.dimension)).numpy())
    np.testing.assert_allclose(eigsh(operator, k=3, which="LA", return_eigenvectors=False), values[-3:], rtol=1e-8)
    columns = np.random.default_rng(0).normal(size=(objective.dimension, 2)).astype(np.float32)
    np.testing.assert_allclose(operator @ columns, (operator.T @ columns), atol=1e-12)
    np.testing.assert_allclose((operator @ columns)[:, 1], operator @ columns[:, 1])


class Fused(nn.Module):
    """Attention by torch's kernel."""

    def __init__(self):
        super().__init__()
        self.qkv, self.head = nn.Linear(4, 9), nn.Linear(3, 3)

    def forward(self, x):
        q, k, v = (part[:, None] for part in self.qkv(x[:, 0]).chunk(3, -1))  # (N, 1, T, 3) each
        return self.head(scaled_dot_product_attention(q, k, v)[:, 0].mean(1))


class Encoder(nn.Module):
    """Attention by torch's layer, which has a kernel of its own for eval mode."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = nn.TransformerEncoderLayer(4, 2, 3, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.encoder(x[:, 0]).mean(1))


@pytest.mark.parametrize("kind", [Fused, Encoder])
def test_fused_attention_has_curvature_too(kind):
    case = make("conv", dtype=torch.float64)
    model = kind().double()
    objective, dense = Objective(model, case.x, case.y), Dense(model, case.x, case.y)
    fast = torch.backends.mha.get_fastpath_enabled()
    ggn, rows = matrix(GaussNewton(), objective), objective.hvp(torch.eye(objective.dimension))
    assert torch.backends.mha.get_fastpath_enabled() == fast
    gradient = objective.gradient()
    step = 1e-5 * torch.ones(objective.dimension, dtype=torch.float64)
    slope = (objective.gradient(step) - objective.gradient(-step)) / 2e-5
    torch.testing.assert_close(rows.sum(0), slope, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(gradient, dense.gradient(), rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(ggn, ggn.T)
    assert torch.linalg.eigvalsh(ggn).min() > -1e-12


def test_graphs_of_one_kind_at_a_time():
    objective = objective_of(make("conv"))
    first = objective.hvp(objective.point)
    product = GaussNewton().product(objective)(objective.point)
    assert objective.keeper.build.__name__ == "whole"
    assert torch.equal(objective.hvp(objective.point), first)
    assert objective.keeper.build.__name__ == "gradient_graph"
    assert torch.equal(GaussNewton().product(objective)(objective.point), product)
