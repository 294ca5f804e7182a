"""PAC-Bayes noise, relative flatness and batch sharpness against closed forms and dense matrices."""

import numpy as np
import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.quadratic import quadratic
from oracles.rescaling import rescale
from oracles.small_networks import make
from scipy import stats
from torch import nn
from torch.nn.utils import parametrizations

from landscape import measure_sharpness
from landscape.objective.objective import Objective
from landscape.objective.streams import stream
from landscape.sharpness.crossing import crossing
from landscape.sharpness.measures.batch_sharpness import BatchSharpness
from landscape.sharpness.measures.pac_bayes import PacBayes
from landscape.sharpness.measures.relative_flatness import RelativeFlatness
from minima.store.command import BadInput

CURVED = torch.tensor([[3.0, 1, 0, 0], [1, 2, 0.5, 0], [0, 0.5, 4, 1], [0, 0, 1, 1]]).double()
AT = torch.tensor([0.5, -1.0, 2.0, 0.3]).double()


def test_pac_bayes_of_a_quadratic():
    bowl = quadratic(CURVED, offset=float(AT @ CURVED @ AT) / 2, at=AT, slope=-CURVED @ AT)
    scaled, draws = AT.abs()[:, None] * CURVED * AT.abs(), stream(2, "pac_bayes")
    rises = [(u @ scaled @ u).item() / 2 for u in (bowl.normal(draws) for _ in range(300))]  # of each draw at sigma = 1
    found = PacBayes(pairs=300, tolerance=1e-5).measure(bowl, 2)
    assert found.value == pytest.approx(np.mean(rises) / 0.1, rel=1e-4)
    assert found.values["sigma"] == pytest.approx(found.value**-0.5)
    assert found.stderr == pytest.approx(stats.sem(rises) / 0.1, rel=1e-2)
    assert abs(found.value - scaled.trace() / 0.2) < 3 * found.stderr
    assert found.data_stderr_new == pytest.approx(0, abs=1e-9)  # all examples are alike


def test_pac_bayes_of_what_never_rises_has_no_value():
    found = PacBayes(pairs=2).measure(quadratic(np.zeros((2, 2)), at=[1.0, 1.0]), 0)
    assert np.isnan(found.value)
    assert not found.convergence["converged"]


@pytest.mark.parametrize(
    ("function", "root"),
    [
        (lambda x: x**2, 0.1**0.5),
        (lambda x: 5 * x, 0.02),
        (lambda x: np.inf if x > 3.3 else 0.0, 3.3),
        (np.expm1, np.log(1.1)),
    ],
)
def test_crossing(function, root):
    assert crossing(function, 0.1, tolerance=1e-4).x == pytest.approx(root, rel=2e-4)


@pytest.mark.parametrize("kind", ["mlp", "conv", "batchnorm", "masked", "attention"])
@pytest.mark.parametrize("subspace", ["survivors", "full"])
def test_relative_flatness_against_the_dense_hessian(kind, subspace):
    case = make(kind, dtype=torch.float64)
    name = {"mlp": "fc3", "attention": "head"}.get(kind, "fc") + ".weight"
    dense, names = Dense(case.model, case.x, case.y, case.masks), [n for n, _ in case.model.named_parameters()]
    sizes = [p.numel() for p in case.model.parameters()]
    start = sum(sizes[: names.index(name)])
    weight = dense.w[start : start + sizes[names.index(name)]].view(case.model.get_parameter(name).shape)
    kept = (
        case.masks.get(name, torch.ones_like(weight)).bool() if subspace == "survivors" else torch.ones_like(weight) > 0
    )
    rows, inputs = weight.shape
    blocks = dense.hessian("full")[start : start + weight.numel(), start : start + weight.numel()]
    blocks = (blocks * kept.flatten() * kept.flatten()[:, None]).view(rows, inputs, rows, inputs)
    expected = sum((weight[i] @ weight[j]) * blocks[i, :, j].trace() for i in range(rows) for j in range(rows))
    objective = Objective(case.model, case.x, case.y, masks=case.masks, subspace=subspace)
    found = RelativeFlatness(probes=500).measure(objective, 0)
    assert abs(found.value - expected) < 3 * found.stderr
    assert found.stderr < 0.15 * found.value


def test_relative_flatness_is_invariant_to_units_of_its_layer_and_not_of_the_layer_below():
    case = make("mlp", dtype=torch.float64)

    def flatness(model, layer):
        return RelativeFlatness(probes=8, layer=layer).measure(Objective(model, case.x, case.y), 0).value

    unit = rescale(case.model, case.x, ("fc2", "fc3"), 20.0, unit=1)
    assert flatness(unit, "fc2") == pytest.approx(flatness(case.model, "fc2"), rel=1e-9)
    assert abs(flatness(unit, "fc3") / flatness(case.model, "fc3.weight") - 1) > 1e-3


class Two(nn.Module):
    """Two outputs, the second of them computed last."""

    def __init__(self):
        super().__init__()
        self.body, self.head, self.side = nn.Linear(3, 4), nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        return {"logits": self.head(hidden), "side": self.side(hidden)}


class Product(nn.Module):
    """A last layer that is a product with a parameter."""

    def __init__(self):
        super().__init__()
        self.body, self.w = nn.Linear(3, 4), nn.Parameter(torch.randn(4, 3))

    def forward(self, x):
        return torch.tanh(self.body(x)) @ self.w


def test_relative_flatness_is_of_the_last_layer_before_the_output_that_is_measured():
    torch.manual_seed(0)
    x, y, model = torch.randn(30, 3).double(), torch.randint(0, 3, (30,)), Two().double()
    found = measure_sharpness(model, (x, y), measures=["relative_flatness"])
    hidden = torch.tanh(model.body(x)).detach()
    weight, bias = model.head.weight.detach(), model.head.bias.detach()

    def loss(flat):
        return nn.functional.cross_entropy(hidden @ flat.view(3, 4).T + bias, y)

    blocks = torch.autograd.functional.hessian(loss, weight.flatten()).view(3, 4, 3, 4)
    expected = torch.einsum("ijkj,ik->", blocks, weight @ weight.T).item()
    measured = found["relative_flatness"]
    assert abs(measured.value - expected) < 3 * measured.stderr
    assert measured.chosen == {"layer": "head.weight"}


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (Product(), torch.randn(8, 3)),
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), parametrizations.weight_norm(nn.Linear(4, 3))), torch.randn(8, 3)),
        (
            nn.Sequential(nn.Conv1d(1, 2, 3), nn.ConvTranspose1d(2, 3, 3), nn.Flatten(), nn.AvgPool1d(5)),
            torch.randn(8, 1, 5),
        ),
    ],
)
def test_relative_flatness_refuses_a_last_layer_that_it_cannot_lay_out(model, x):
    y = torch.randint(0, 3, (len(x),))
    with pytest.raises(BadInput, match=r"last operation with a weight is .*name a weight with --relative-flatness"):
        RelativeFlatness().measure(Objective(model, x, y), 0)


def test_relative_flatness_refuses_a_transposed_convolution_by_name():
    model = nn.Sequential(nn.ConvTranspose1d(1, 2, 3), nn.Flatten(), nn.Linear(14, 3))
    objective = Objective(model, torch.randn(8, 1, 5), torch.randint(0, 3, (8,)))
    with pytest.raises(BadInput, match="not laid out neuron by neuron"):
        RelativeFlatness(layer="0").measure(objective, 0)


@pytest.mark.parametrize("layer", ["fc9", "fc1.bias"])
def test_relative_flatness_names_a_layer_that_is_none(layer):
    case = make("mlp")
    with pytest.raises(BadInput, match=r"--relative-flatness\.layer"):
        RelativeFlatness(layer=layer).measure(Objective(case.model, case.x, case.y), 0)
    with pytest.raises(BadInput, match="may move"):
        RelativeFlatness().measure(Objective(case.model, case.x, case.y, parameters=["fc1"]), 0)


@pytest.mark.parametrize("size", [5, 22, 100])
def test_batch_sharpness_against_dense_matrices(size):
    case = make("conv", dtype=torch.float64)
    quotients, draws = [], stream(3, "batch_sharpness")
    for _ in range(6 if size < 22 else 1):
        drawn = torch.randperm(22, generator=draws)[:size]
        dense = Dense(case.model, case.x[drawn], case.y[drawn])
        gradient = dense.gradient()
        quotients.append((gradient @ dense.hessian() @ gradient / (gradient @ gradient)).item())
    found = BatchSharpness(batch=size, batches=6).measure(Objective(case.model, case.x, case.y), 3)
    assert found.value == pytest.approx(np.mean(quotients))
    assert found.stderr == (None if size >= 22 else pytest.approx(stats.sem(quotients)))


def test_parts_of_an_objective_are_objectives():
    case = make("batchnorm")
    some = torch.tensor([1, 4, 5, 20])
    part = Objective(case.model, case.x, case.y, batch_size=3).of(some)
    fresh = Objective(case.model, case.x[some], case.y[some])
    vector = fresh.normal(stream(0, "v"))
    assert part.loss(vector) == pytest.approx(fresh.loss(vector))
    torch.testing.assert_close(part.gradient(), fresh.gradient())
    torch.testing.assert_close(part.hvp(vector), fresh.hvp(vector))
    assert part.example_losses(vector).mean().item() == pytest.approx(fresh.loss(vector))
