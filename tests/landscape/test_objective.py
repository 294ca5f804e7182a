"""The objective against dense float64 derivatives, and what it must never do to a model."""

import copy

import pytest
import torch
from oracles.dense_landscape import Dense
from oracles.quadratic import quadratic
from oracles.small_networks import KINDS, make
from torch import nn
from torch.nn.functional import cross_entropy, dropout

from landscape.objective.objective import Objective
from landscape.spectrum.operator import operators
from minima.store.command import BadInput


def objective_of(case, **keywords):
    return Objective(case.model, case.x, case.y, masks=case.masks, **keywords)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subspace", ["survivors", "full"])
def test_loss_gradient_and_products_equal_the_dense_ones(kind, subspace):
    case = make(kind, dtype=torch.float64)
    dense = Dense(case.model, case.x, case.y, case.masks)
    objective = objective_of(case, subspace=subspace, batch_size=5)  # 22 examples: a ragged last chunk of 2
    vectors = torch.randn(3, objective.dimension, dtype=torch.float64)
    torch.testing.assert_close(objective.point, dense.point(subspace))
    assert objective.loss() == pytest.approx(dense.loss(dense.w).item(), rel=1e-12)
    torch.testing.assert_close(objective.gradient(), dense.gradient(subspace))
    torch.testing.assert_close(objective.hvp(vectors), vectors @ dense.hessian(subspace))
    torch.testing.assert_close(objective.hvp(vectors[0]), dense.hessian(subspace) @ vectors[0])


def test_away_from_the_weights():
    case = make("masked", dtype=torch.float64)
    dense = Dense(case.model, case.x, case.y, case.masks)
    objective = objective_of(case)
    delta = 0.1 * torch.randn(objective.dimension, dtype=torch.float64)
    moved = copy.deepcopy(dense)
    moved.w = dense.w.index_add(0, dense.index("survivors"), delta)
    loss, gradient = objective.loss_and_gradient(delta)
    assert loss == objective.loss(delta) == pytest.approx(moved.loss(moved.w).item())
    torch.testing.assert_close(gradient, moved.gradient())
    torch.testing.assert_close(objective.hvp(delta, delta), moved.hessian() @ delta)


@pytest.mark.parametrize("sizes", [(22, 1), (22, 4), (22, 21)])
def test_chunks_change_nothing(sizes):
    case = make("conv")
    case.x[-1] *= 30  # an outlier in the ragged last chunk: a mean over batches would weigh it wrongly
    one, other = (objective_of(case, batch_size=size) for size in sizes)
    v = one.normal(torch.Generator().manual_seed(0))
    assert one.loss() == pytest.approx(other.loss(), rel=1e-6)
    torch.testing.assert_close(one.gradient(), other.gradient(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(one.hvp(v), other.hvp(v), rtol=1e-4, atol=1e-5)


def test_the_model_comes_out_as_it_went_in():
    case = make("batchnorm")
    model = case.model.train()
    model.bn1.eval()
    cross_entropy(model(case.x), case.y).backward()
    before = copy.deepcopy(model.state_dict())
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    modes, random = [module.training for module in model.modules()], torch.get_rng_state()
    objective = objective_of(case)
    objective.hvp(objective.gradient())
    objective.evaluate(objective.point)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    for name, p in model.named_parameters():
        assert torch.equal(p.grad, gradients[name])
        assert p.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_twice_is_the_same_and_gradients_left_over_do_not_count():
    case = make("mlp")
    first = objective_of(case)
    v = first.normal(torch.Generator().manual_seed(1))
    product = first.hvp(v)
    loss = cross_entropy(case.model(case.x), case.y)
    for p, g in zip(
        case.model.parameters(),
        torch.autograd.grad(loss, list(case.model.parameters()), create_graph=True),
        strict=True,
    ):
        p.grad = g  # a graph-carrying .grad
    assert torch.equal(objective_of(case).hvp(v), product)


def test_train_mode_and_dropout_make_no_difference():
    case = make("mlp")
    case.model = nn.Sequential(case.model, nn.Dropout(0.5))
    quiet = objective_of(case).loss()
    case.model.train()
    assert objective_of(case).loss() == quiet


class AlwaysDropout(nn.Linear):
    def forward(self, x):
        return dropout(super().forward(x), 0.5)


@pytest.mark.parametrize(
    "model",
    [AlwaysDropout(5, 3), nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3, track_running_stats=False))],
)
def test_a_loss_that_is_no_function_of_the_weights_is_refused(model):
    case = make("mlp")
    state = torch.get_rng_state()
    with pytest.raises(BadInput, match="in eval mode"):
        Objective(model, case.x, case.y)
    assert torch.equal(torch.get_rng_state(), state)


class WithUnused(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.unused = nn.Parameter(torch.ones(2))
        self.model = model

    def forward(self, x):
        return self.model(x)


def test_unused_and_frozen_parameters():
    case = make("mlp")
    plain = objective_of(case)
    case.model = WithUnused(case.model)
    whole = objective_of(case)
    assert whole.gradient()[:2].tolist() == [0, 0]  # a module's own parameters come first
    assert whole.hvp(torch.ones(whole.dimension))[:2].tolist() == [0, 0]
    assert torch.equal(whole.gradient()[2:], plain.gradient())
    alone = whole.block([next(iter(whole.coordinates.sizes))])  # the loss is no function of any weight in it
    assert alone.gradient().tolist() == [0, 0]
    for operator in operators().values():
        assert operator().product(alone)(torch.ones(3, 2)).tolist() == [[0, 0]] * 3
    case.model.model.fc1.weight.requires_grad_(False)
    assert objective_of(case).dimension == whole.dimension - 30
    for p in case.model.parameters():
        p.requires_grad_(False)
    with pytest.raises(BadInput, match="no trainable parameters"):
        objective_of(case)


def test_a_linear_loss_has_no_curvature():
    objective = quadratic(torch.zeros(3, 3), slope=torch.tensor([1.0, 2.0, 3.0]).double())
    assert objective.gradient().tolist() == [1, 2, 3]
    assert objective.hvp(torch.ones(2, 3)).tolist() == [[0, 0, 0]] * 2


def test_a_loss_may_be_per_example_or_a_mean():
    case = make("mlp", dtype=torch.float64)
    one = objective_of(case, batch_size=5)
    other = objective_of(case, batch_size=5, loss=cross_entropy)
    assert one.loss() == pytest.approx(other.loss())
    torch.testing.assert_close(one.gradient(), other.gradient())
    with pytest.raises(BadInput, match=r"shape \(22, 3\)"):
        objective_of(case, loss=lambda out, _: out)


def test_removed_weights_are_zero_whatever_the_model_holds():
    case = make("masked", dtype=torch.float64)
    clean = objective_of(case).loss()
    for name, mask in case.masks.items():
        case.model.get_parameter(name).data[~mask] = 7.0
    assert objective_of(case).loss() == objective_of(case, subspace="full").loss() == clean


def test_a_mask_by_the_other_name_of_a_shared_weight():
    case = make("tied")
    mask = torch.rand(4, 4) > 0.5
    dimensions = {
        Objective(case.model, case.x, case.y, masks={name: mask}).dimension
        for name in ("first.weight", "second.weight")
    }
    assert dimensions == {16 + 4 + 15 - int((~mask).sum())}


def test_masks_that_do_not_fit_are_named():
    case = make("mlp")
    for masks, words in (({"fc9.weight": torch.ones(2)}, "fc9.weight"), ({"fc1.weight": torch.ones(2)}, r"\(6, 5\)")):
        with pytest.raises(BadInput, match=words):
            Objective(case.model, case.x, case.y, masks=masks)


def test_what_is_not_finite_is_one_clear_error():
    case = make("mlp")
    case.x[3] = torch.nan
    with pytest.raises(BadInput, match="not finite"):
        Objective(case.model, case.x[4:], case.y[4:], loss=lambda out, _: out.sum(1) / 0).loss()
    objective = objective_of(case)
    for broken in (objective.loss, objective.gradient, lambda: objective.hvp(objective.point)):
        with pytest.raises(BadInput, match="not finite"):
            broken()


def test_overflow_far_away_is_infinite_not_missing():
    objective = objective_of(make("mlp"))
    assert objective.loss(1e30 * torch.ones(objective.dimension)) == float("inf")


def test_draws_do_not_depend_on_the_mask():
    case = make("masked")
    for kind in ("normal", "signs"):
        full = getattr(objective_of(case, subspace="full"), kind)(torch.Generator().manual_seed(3))
        objective = objective_of(case)
        some = getattr(objective, kind)(torch.Generator().manual_seed(3))
        assert torch.equal(some, full[objective.coordinates.kept])
