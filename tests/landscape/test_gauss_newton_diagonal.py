"""The exact Gauss-Newton diagonal against dense float64 matrices of small networks."""

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import KINDS, make
from torch import nn
from torch.nn.functional import cross_entropy

from landscape.objective.objective import Objective
from landscape.spectrum import gauss_newton_diagonal as module
from landscape.spectrum.gauss_newton_diagonal import NotExact, gauss_newton_diagonal
from minima.zoo.losses.spec import parse_loss

LINEAR_IN_EACH_WEIGHT = ("mlp", "conv", "batchnorm", "masked")


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_dense_diagonal_and_the_hessians_where_outputs_are_linear_in_each_weight(kind):
    case = make(kind, dtype=torch.float64)
    dense = Dense(case.model, case.x, case.y, case.masks)
    found = gauss_newton_diagonal(Objective(case.model, case.x, case.y, masks=case.masks))
    torch.testing.assert_close(found, dense.ggn().diag(), rtol=1e-10, atol=1e-14)
    of_hessian = (found - dense.hessian().diag()).abs().max() < 1e-12
    assert of_hessian == (kind in LINEAR_IN_EACH_WEIGHT)


def wavy(outputs, y):
    """Convex nowhere in particular, and of no use but here."""
    return (outputs**3).sum(1) + (outputs[:, 0] * outputs[:, 1]).sin() * (1 + y)


def straight(outputs, y):
    return outputs.sum(1) * y


def squared(outputs, y):
    return (outputs - nn.functional.one_hot(y, 3)).square().mean(1)


@pytest.mark.parametrize("loss", [wavy, straight, squared], ids=lambda loss: loss.__name__)
def test_any_loss_of_each_examples_outputs(loss):
    case = make("mlp", dtype=torch.float64)
    expected = Dense(case.model, case.x, case.y, loss=loss).ggn().diag()
    found = gauss_newton_diagonal(Objective(case.model, case.x, case.y, loss=loss))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-13)
    assert (loss is wavy) == bool((found < 0).any())


def test_outputs_at_several_places_of_an_example():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, x, y = nn.Linear(3, 4).double(), torch.randn(5, 2, 3).double(), torch.randint(0, 4, (5, 2))

    def loss(outputs, y):
        return cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none").view(y.shape).mean(1)

    found = gauss_newton_diagonal(Objective(model, x, y, loss=loss))
    expected = Objective(model, x, y, loss=loss).hvp(torch.eye(16, dtype=torch.float64)).diag()
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-13)


def test_chunks_and_single_examples_say_the_same(monkeypatch):
    case = make("batchnorm", dtype=torch.float64)
    objective = Objective(case.model, case.x, case.y)
    at_once = gauss_newton_diagonal(objective)
    monkeypatch.setattr(module, "MEMORY", 1)
    torch.testing.assert_close(gauss_newton_diagonal(objective), at_once, rtol=1e-10, atol=1e-15)

    def refused(*_):
        raise RuntimeError("vmap: no rule")

    monkeypatch.setattr(module, "vmap", refused)
    torch.testing.assert_close(gauss_newton_diagonal(objective), at_once, rtol=1e-10, atol=1e-15)


def test_what_many_examples_cannot_share_is_taken_one_by_one():
    class Branching(nn.Module):
        """Asks for a number, which no batch of examples has."""

        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(5, 3), nn.Linear(5, 3)

        def forward(self, x):
            return self.first(x) if float(x.detach().sum()) > 0 else self.second(x)

    case = make("mlp", dtype=torch.float64)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = Branching().double()
    found = gauss_newton_diagonal(Objective(model, case.x[:1], case.y[:1]))
    torch.testing.assert_close(found, Dense(model, case.x[:1], case.y[:1]).ggn().diag(), rtol=1e-9, atol=1e-14)


def test_the_model_is_left_as_it_was():
    case = make("batchnorm")
    case.model.train()
    before = {name: value.clone() for name, value in case.model.state_dict().items()}
    gauss_newton_diagonal(Objective(case.model, case.x, case.y))
    assert all(torch.equal(value, before[name]) for name, value in case.model.state_dict().items())
    assert case.model.training
    assert all(parameter.grad is None for parameter in case.model.parameters())


def test_too_many_outputs_are_refused_by_their_number():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        objective = Objective(nn.Linear(2, 257), torch.randn(3, 2), torch.arange(3))
    with pytest.raises(NotExact, match="found 257"):
        gauss_newton_diagonal(objective)


def test_one_number_an_example_is_one_output():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(6, 3, generator=generator, dtype=torch.float64), torch.randn(6, generator=generator).double()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        column = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    flat = nn.Sequential(*column, nn.Flatten(0))
    loss = parse_loss("mse")
    found = gauss_newton_diagonal(Objective(flat, x, y, loss=loss))
    truth = gauss_newton_diagonal(Objective(column, x, y[:, None], loss=loss))
    rows = [torch.autograd.grad(flat(each[None]).sum(), list(flat.parameters())) for each in x]
    by_hand = 2 * torch.stack([torch.cat([slope.flatten() for slope in row]) for row in rows]).square().mean(0)
    torch.testing.assert_close(found, truth, rtol=1e-12, atol=0)
    torch.testing.assert_close(found, by_hand, rtol=1e-9, atol=1e-14)
