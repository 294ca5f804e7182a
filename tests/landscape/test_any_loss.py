"""Losses with weights, structured inputs and outputs: values and derivatives of the dense float64 truth."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, hessian
from torch.nn import functional

from landscape.objective.objective import Objective
from landscape.spectrum.example_blocks import blocks_of, deal
from landscape.spectrum.operator import operators
from minima.store.command import BadInput
from minima.zoo.examples.inputs import arguments, as_inputs
from minima.zoo.examples.outputs import pick
from minima.zoo.losses.spec import parse_loss
from minima.zoo.subject.sampling import Sample

N = 26


class Tagger(nn.Module):
    """A class for each of five tokens; returns a dict, takes ids and a mask."""

    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(7, 4), nn.Linear(4, 3)

    def forward(self, ids, mask):
        return {"logits": self.head(self.embedding(ids).tanh() * mask[..., None]), "aux": ids}


class Two(nn.Module):
    """Takes two tensors, returns a tuple."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 2), nn.Linear(2, 2)

    def forward(self, a, b):
        return self.left(a).tanh() + self.right(b), a


def draws(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def problem(kind):
    """Model, inputs, targets, spec, and the mean loss over all of them as torch has it."""
    torch.manual_seed(0)
    ids = torch.randint(0, 7, (N, 5))
    tags = torch.randint(0, 3, (N, 5)).masked_fill(torch.rand(N, 5) < 0.4, -100)
    if kind == "tokens":
        x = {"ids": ids, "mask": (torch.rand(N, 5) < 0.8).double()}
        truth = lambda out, y: functional.cross_entropy(out["logits"].movedim(2, 1), y)  # noqa: E731
        return Tagger(), x, tags, "cross-entropy", truth
    if kind == "two inputs":
        truth = lambda out, y: functional.mse_loss(out[0], y)  # noqa: E731
        return Two(), (draws(N, 3).double(), draws(N, 2).double()), draws(N, 2).double(), "mse", truth
    if kind == "class weights":
        model, weight = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)), torch.tensor([1.0, 19.0]).double()
        y = (torch.arange(N) >= N - 4).long()  # sorted: the last chunk is unlike the first
        truth = lambda out, y: functional.cross_entropy(out, y, weight=weight)  # noqa: E731
        return model, draws(N, 4).double(), y, "cross-entropy:weight=1x19", truth
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.GELU(), nn.Conv2d(3, 2, 1))
    masks = torch.randint(0, 2, (N, 4, 4)).masked_fill((torch.arange(N) > 20)[:, None, None], -100)
    return model, draws(N, 1, 4, 4).double(), masks, "cross-entropy", functional.cross_entropy


KINDS = ["tokens", "two inputs", "class weights", "pixels"]


def called(model, x, weights):
    return functional_call(model, weights, *arguments(as_inputs(x)))


def dense(model, x, y, truth):
    names, shapes = zip(*((name, each.shape) for name, each in model.named_parameters()), strict=True)
    point = torch.cat([each.detach().flatten() for each in model.parameters()])

    def loss(flat):
        parts = flat.split([shape.numel() for shape in shapes])
        weights = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        args = (tuple(x), {}) if isinstance(x, tuple) else ((), x) if isinstance(x, dict) else ((x,), {})
        return truth(functional_call(model, weights, *args), y)

    return loss(point).item(), torch.func.grad(loss)(point), hessian(loss)(point)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_size", [1, 7, N])
def test_loss_gradient_and_hessian_are_the_dense_ones(kind, batch_size):
    model, x, y, spec, truth = problem(kind)
    model = model.double()
    loss, gradient, matrix = dense(model, x, y, truth)
    objective = Objective(model, x, y, loss=parse_loss(spec), batch_size=batch_size)
    assert objective.loss() == pytest.approx(loss, rel=1e-10)
    torch.testing.assert_close(objective.gradient(), gradient)
    eye = torch.eye(objective.dimension, dtype=torch.float64)
    torch.testing.assert_close(objective.hvp(eye), matrix)
    assert objective.example_losses().mean().item() == pytest.approx(loss, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_by_weight_make_the_whole(kind):
    model, x, y, spec, _ = problem(kind)
    objective = Objective(model.double(), x, y, loss=parse_loss(spec))
    blocks, vector = blocks_of(objective), torch.ones(objective.dimension, dtype=torch.float64)
    parts = torch.stack([objective.of(rows).hvp(vector) for rows in blocks.rows])
    weights = torch.tensor(blocks.weights, dtype=torch.float64)
    torch.testing.assert_close((weights[:, None] * parts).sum(0) / weights.sum(), objective.hvp(vector))
    means = [objective.sample(rows).loss() * len(rows) for rows in blocks.rows]
    assert sum(means) / N == pytest.approx(objective.loss(), rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gauss_newton_matrix_is_the_dense_one(kind):
    model, x, y, spec, truth = problem(kind)
    model = model.double()
    objective = Objective(model, x, y, loss=parse_loss(spec))
    product = operators()["ggn"]().product(objective)(torch.eye(objective.dimension, dtype=torch.float64))

    outputs = pick(called(model, x, {}))
    wrapped = {"tokens": lambda z: {"logits": z}, "two inputs": lambda z: (z,)}.get(kind, lambda z: z)
    shape = outputs.shape
    curvature = hessian(lambda flat: truth(wrapped(flat.view(shape)), y))(outputs.detach().flatten())
    jacobian = torch.cat(
        [
            torch.func.jacrev(lambda weight, name=name: pick(called(model, x, {name: weight})).flatten())(
                value
            ).flatten(1)
            for name, value in ((name, each.detach()) for name, each in model.named_parameters())
        ],
        dim=1,
    )
    torch.testing.assert_close(product, jacobian.T @ curvature @ jacobian)


def test_outer_products_of_weighted_losses_are_refused():
    model, x, y, spec, _ = problem("class weights")
    objective = Objective(model.double(), x, y, loss=parse_loss(spec))
    with pytest.raises(BadInput, match="weighs them"):
        operators()["empirical-fisher"]().product(objective)


def test_a_mean_by_weight_as_a_loss_of_one_s_own_is_refused_whatever_the_chunks():
    model, x, y, _, truth = problem("class weights")
    for batch_size in (4, N):
        with pytest.raises(BadInput, match="no mean over examples"):
            Objective(model.double(), x, y, loss=truth, batch_size=batch_size)
    weight = torch.tensor([1.0, 19.0]).double()

    def sums_and_weights(out, labels):
        return functional.cross_entropy(out, labels, weight=weight, reduction="none"), weight[labels]

    loss = dense(model, x, y, truth)[0]
    for batch_size in (4, N):
        assert Objective(model, x, y, loss=sums_and_weights, batch_size=batch_size).loss() == pytest.approx(loss)


@pytest.mark.parametrize("sort", [True, False])
def test_samples_and_blocks_have_the_classes_in_their_shares(sort):
    y = torch.randint(0, 3, (600,), generator=torch.Generator().manual_seed(0))
    y = y.sort().values if sort else y
    counts = y.bincount().double()
    rows = Sample(150, drawn=True).rows(y, 600, seed=3)
    assert len(rows.unique()) == 150
    assert ((y[rows].bincount() - counts / 4).abs() <= 1).all()
    for block in deal(y, 600):
        assert ((y[block].bincount(minlength=3) - counts / 20).abs() <= 1).all()


def test_every_example_is_as_likely_in_a_sample():
    y = torch.tensor([0] * 7 + [1] * 3)
    hits = torch.zeros(10)
    for seed in range(600):
        hits[Sample(4, drawn=True).rows(y, 10, seed)] += 1
    assert ((hits / 600 - 0.4).abs() < 0.08).all()  # four standard errors
