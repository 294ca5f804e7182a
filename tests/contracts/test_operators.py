"""One battery for every curvature operator: it is the dense matrix, symmetric, linear, repeatable, and harmless."""

import copy
import gc
from functools import cache, partial
from typing import get_args, get_type_hints

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.small_networks import KINDS, make
from torch.nn.functional import cross_entropy, one_hot

from landscape.hessian.flags import Curvature
from landscape.objective.objective import Objective
from landscape.spectrum.operator import operators
from landscape.spectrum.operators.mc_fisher import draw_labels
from minima.store.command import BadInput

ALL = operators()


def squared_error(outputs, y):
    return ((outputs - one_hot(y, 3)) ** 2).sum(1)


LOSSES = {
    "cross-entropy": partial(cross_entropy, reduction="none"),
    "label smoothing": partial(cross_entropy, reduction="none", label_smoothing=0.2),
    "squared error": squared_error,
}


def objective_of(case, **keywords):
    return Objective(case.model, case.x, case.y, masks=case.masks, **keywords)


def drawn_fisher(dense, case, loss, subspace):
    labels = draw_labels(objective_of(case, loss=loss), ALL["mc-fisher"]().draws, seed=0)
    return sum(dense.fisher(drawn, subspace) for drawn in labels) / len(labels)


DENSE = {
    "hessian": lambda dense, *_, subspace: dense.hessian(subspace),
    "ggn": lambda dense, *_, subspace: dense.ggn(subspace),
    "empirical-fisher": lambda dense, *_, subspace: dense.fisher(None, subspace),
    "mc-fisher": drawn_fisher,
    "gradient-covariance": lambda dense, *_, subspace: torch.cov(dense.gradients(subspace=subspace).T, correction=0),
}
"""the matrices by the definition, where one is known here"""


@cache
def matrix(name, kind, loss="cross-entropy", subspace="survivors"):
    """By products with the unit vectors, in one call."""
    case = make(kind, dtype=torch.float64)
    objective = objective_of(case, loss=LOSSES[loss], subspace=subspace, batch_size=5)  # 22 examples: 2 are left
    return ALL[name]().product(objective)(torch.eye(objective.dimension, dtype=torch.float64))


CASES = [(kind, "cross-entropy") for kind in KINDS] + [("masked", loss) for loss in LOSSES if loss != "cross-entropy"]


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("subspace", ["survivors", "full"])
@pytest.mark.parametrize(("kind", "loss"), CASES)
def test_it_is_the_dense_matrix(name, kind, loss, subspace):
    case = make(kind, dtype=torch.float64)
    dense = Dense(case.model, case.x, case.y, case.masks, LOSSES[loss])
    expected = DENSE[name](dense, case, LOSSES[loss], subspace=subspace)
    torch.testing.assert_close(matrix(name, kind, loss, subspace), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("kind", "loss"), CASES)
def test_symmetric_and_no_negative_eigenvalues_where_there_can_be_none(name, kind, loss):
    found = matrix(name, kind, loss)
    torch.testing.assert_close(found, found.T, rtol=1e-9, atol=1e-13)
    values = torch.linalg.eigvalsh(found)
    if ALL[name].semidefinite or name == "ggn":  # these losses are convex in the outputs
        assert values.min() > -1e-12 * values.max()
    assert values.abs().max() > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_one_vector_or_several_linear_and_the_same_bits_twice(name):
    objective = objective_of(make("masked"), batch_size=5)
    product = ALL[name]().product(objective, seed=3)
    u, v = torch.randn(2, objective.dimension, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    together = product(torch.stack([u, v]))
    assert together.dtype == torch.float64
    assert torch.equal(together[0], product(u))
    assert torch.equal(together[1], product(v.clone()))
    assert torch.equal(ALL[name]().product(objective_of(make("masked"), batch_size=5), seed=3)(u), product(u))
    torch.testing.assert_close(product(2 * u - 3 * v), 2 * together[0] - 3 * together[1], rtol=1e-4, atol=1e-5)
    assert product(u.float()).dtype == torch.float64
    assert not product(torch.zeros_like(u)).any()


@pytest.mark.parametrize("name", ALL)
def test_chunks_and_kept_graphs_change_nothing(name):
    case = make("conv")
    case.x[-1] *= 30  # an outlier in the ragged last chunk: a mean over batches would weigh it wrongly
    one, ragged = (ALL[name]().product(objective_of(case, batch_size=size)) for size in (22, 4))
    v = objective_of(case).normal(torch.Generator().manual_seed(0))
    torch.testing.assert_close(one(v), ragged(v), rtol=1e-4, atol=1e-5)
    kept = ragged(v)
    streamed = objective_of(case, batch_size=4, memory=0)
    assert torch.equal(ALL[name]().product(streamed)(v), kept)


@pytest.mark.parametrize("name", ALL)
def test_the_model_comes_out_as_it_went_in(name):
    case = make("batchnorm")
    model = case.model.train()
    model.bn1.eval()
    cross_entropy(model(case.x), case.y).backward()
    before = copy.deepcopy(model.state_dict())
    gradients = {key: p.grad.clone() for key, p in model.named_parameters()}
    modes, random = [each.training for each in model.modules()], torch.get_rng_state()
    objective = objective_of(case)
    ALL[name]().product(objective)(objective.point)
    assert [each.training for each in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(p.grad, gradients[key]) and p.requires_grad for key, p in model.named_parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ALL)
def test_nothing_grows_with_the_products(name):
    objective = objective_of(make("conv"), batch_size=5)
    product = ALL[name]().product(objective)

    def live():
        gc.collect()
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())

    product(objective.point)
    before = live()
    for _ in range(5):
        product(objective.point)
    assert live() <= before


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["tied", "masked"])
def test_a_block_is_that_of_the_matrix(name, kind):
    case = make(kind, dtype=torch.float64)
    whole = matrix(name, kind)
    chosen = {"tied": ["first.weight"], "masked": ["conv2", "fc.bias"]}[kind]
    part = objective_of(case, batch_size=5, parameters=chosen)
    position = objective_of(case).coordinates
    names = [key for key in position.shapes if key.startswith(tuple(chosen))]
    ones = {key: torch.full(shape, float(key in names)) for key, shape in position.shapes.items()}
    rows = position.vector(ones).nonzero().squeeze(1)
    found = ALL[name]().product(part)(torch.eye(part.dimension, dtype=torch.float64))
    torch.testing.assert_close(found, whole[rows][:, rows], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_a_loss_that_is_not_finite_is_one_clear_error(name):
    case = make("mlp")
    case.x[3] = torch.nan
    objective = objective_of(case)
    with pytest.raises(BadInput, match="not finite"):
        ALL[name]().product(objective)(objective.point)


@pytest.mark.parametrize("name", [name for name in ALL if name != "hessian"])
def test_outputs_that_are_no_tensor_with_a_row_each_are_named(name):
    case = make("mlp")
    case.model.register_forward_hook(lambda *call: (call[-1],))
    objective = Objective(case.model, case.x, case.y, loss=lambda out, y: cross_entropy(out[0], y))
    with pytest.raises(BadInput, match=r"tuple|softmax"):
        ALL[name]().product(objective)(objective.point)


def test_the_command_knows_them_all():
    names = get_args(get_type_hints(Curvature)["operator"])
    assert names[0] == Curvature().operator
    assert set(names) == set(ALL)
