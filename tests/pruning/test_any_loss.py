"""Scores, bounds and training under losses of positions, weights and numbers, beside plain autograd."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from landscape.objective.objective import Objective
from landscape.spectrum.gauss_newton_diagonal import gauss_newton_diagonal
from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.inputs import Several
from minima.zoo.examples.task import Task
from minima.zoo.losses.own import OwnLoss
from minima.zoo.losses.spec import parse_loss
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from pruning.context.context import Context, raised
from pruning.context.probe import Probe
from pruning.context.sample import Sample
from pruning.regrow.dense_gradient import dense_gradients
from pruning.scorers.fisher_diagonal import FisherDiagonal
from pruning.scorers.sensitivity import Sensitivity
from pruning.scorers.synaptic_flow import SynapticFlow
from pruning.scorers.taylor import Taylor
from pruning.selection.loss_bound import search_threshold
from pruning.spaces.elements import Elements
from pruning.triggers.accuracy_drop import AccuracyDrop
from pruning.triggers.plateau import bad_epochs


class Positions(nn.Module):
    """Logits (N, 3, T) of a pair of inputs, in a dict."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 4), nn.Linear(4, 3)

    def forward(self, x, scale):
        return {"aside": x, "logits": self.second((self.first(x) * scale[:, None, None]).tanh()).movedim(2, 1)}


def case(loss="cross-entropy:weight=1x2x5"):
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Positions().double()
    x = Several((torch.randn(10, 5, 2, generator=generator).double(), torch.rand(10, generator=generator).double()))
    y = torch.randint(0, 3, (10, 5), generator=generator)
    y[:4, 1:] = -100
    weights = prunable(model)
    return Context(
        model=model,
        weights=weights,
        masks={name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()},
        x=x,
        y=y,
        validation=(x, y),
        losses=(),
        cuts=0,
        events=0,
        progress=0.5,
        memory={},
        seen=(),
        seed=0,
        batch_size=3,
        recipe=Recipe(),
        rate=0.1,
        space=Elements(),
        task=Task(parse_loss(loss)),
    )


def plain(context, rows=slice(None)):
    """The weighted mean over all positions, and its gradients, with torch's own reduction."""
    logits = context.model(*(leaf[rows] for leaf in context.x.leaves))["logits"]
    loss = cross_entropy(logits, context.y[rows], weight=torch.tensor([1.0, 2, 5]).double())
    return loss, dict(zip(context.weights, torch.autograd.grad(loss, context.weights.values()), strict=True))


def test_sensitivity_is_of_the_mean_over_all_positions_whatever_the_chunks():
    context = case()
    scores = Sensitivity(Probe(examples=10)).score(context)
    _, gradients = plain(context)
    for name, weight in context.weights.items():
        torch.testing.assert_close(scores[name], (weight * gradients[name]).abs().detach())


def test_own_loss_with_weights_is_the_same():
    def function(outputs, targets):
        factors = torch.tensor([1.0, 2, 5]).double()
        each = cross_entropy(outputs, targets, weight=factors, reduction="none")
        counted = torch.where(targets >= 0, factors[targets.clamp(min=0)], 0.0)
        return each.sum(1), counted.sum(1)

    context = case()
    own = OwnLoss(function)
    own.check(torch.zeros(10, 3, 5).double(), context.y)
    one = Sensitivity(Probe(examples=10)).score(context)
    other = Sensitivity(Probe(examples=10)).score(_with(context, task=Task(own)))
    for name in one:
        torch.testing.assert_close(one[name], other[name])


def _with(context, **changes):
    from dataclasses import replace

    return replace(context, **changes)


def test_dense_gradients_and_taylor_are_those_of_their_batches():
    context = _with(case(), batch_size=10)
    _, gradients = plain(context)
    for name, found in dense_gradients(context).items():
        torch.testing.assert_close(found, gradients[name])
    batches = [slice(0, 4), slice(4, 8), slice(8, 10)]
    expected = [plain(context, rows)[1] for rows in batches]
    for name, found in Taylor().score(_with(context, batch_size=4)).items():
        weight = context.weights[name].detach()
        torch.testing.assert_close(found, sum((weight * each[name]).square() for each in expected) / 3)


def test_the_gauss_newton_diagonal_is_that_of_the_weighted_mean():
    """Outputs are linear in each weight of the last layer alone, so there it is the Hessian's."""
    context = case()
    objective = Objective(context.model, context.x, context.y, loss=context.task.loss, parameters=["second.weight"])
    found = gauss_newton_diagonal(objective)
    weight = context.model.second.weight

    def loss(flat):
        other = {"second.weight": flat.view_as(weight)}
        outputs = torch.func.functional_call(context.model, other, tuple(context.x.leaves))["logits"]
        return cross_entropy(outputs, context.y, weight=torch.tensor([1.0, 2, 5]).double())

    hessian = torch.autograd.functional.hessian(loss, weight.detach().flatten())
    torch.testing.assert_close(found, hessian.diagonal())


def test_fisher_diagonal_weighs_examples():
    context = case()
    found = FisherDiagonal(Sample(examples=10)).score(context)
    weights = torch.where(context.y >= 0, torch.tensor([1.0, 2, 5])[context.y.clamp(min=0)], 0.0).sum(1).double()
    squares = [plain(context, slice(row, row + 1))[1] for row in range(10)]
    for name, weight in context.weights.items():
        mean = sum(share * each[name].square() for share, each in zip(weights, squares, strict=True)) / weights.sum()
        torch.testing.assert_close(found[name], weight.detach().square() * mean / 2)


def test_synaptic_flow_takes_several_inputs_and_keeps_its_sum():
    scores = SynapticFlow().score(case())
    sums = [score.sum().item() for score in scores.values()]
    assert sums[0] > 0
    assert all(math.isfinite(each) for each in sums)


def test_what_needs_labels_or_logits_says_what_to_type():
    context = case()
    with pytest.raises(BadInput, match="--by chance --examples 100"):
        Sensitivity(Probe(examples=10, by="class")).score(context)
    with pytest.raises(BadInput, match="--temperature 1"):
        Sensitivity(Probe(temperature=2.0)).score(_with(context, task=Task(parse_loss("mse"))))


def test_frozen_weights_are_scored_and_stay_frozen():
    context = case()
    context.model.first.weight.requires_grad_(False)
    thawed = case()
    for score in (Taylor().score, dense_gradients, Sensitivity(Probe(examples=10)).score):
        one, other = score(context), score(thawed)
        assert all(torch.equal(one[name], other[name]) for name in other)
    assert not context.model.first.weight.requires_grad


def test_bounds_of_losses_below_zero():
    assert raised(-2.0, 0.1) == pytest.approx(-1.8)
    assert bad_epochs([-1.0, -1.5, -1.499, -1.0], slack=0.01) == 1
    removed = lambda threshold: sum(weight < threshold for weight in (0.1, 0.2, 0.3, 0.4))  # noqa: E731
    bound = raised(-1.0, 0.05)
    found = search_threshold(lambda t: -1 + 0.03 * removed(t), lowest=0.1, start=0.25, highest=0.4, bound=bound)
    assert removed(found) == 1


def test_without_a_score_the_loss_decides_about_fine_tuning():
    context = case()
    alone = _with(context, task=Task(OwnLoss(lambda outputs, _: outputs.square().mean((1, 2)))))
    level = AccuracyDrop(5.0).note(alone, dict)[0]
    with torch.no_grad():
        assert level == pytest.approx(-context.model(*context.x.leaves)["logits"].square().mean().item())
    for before, goes_on in ((level, True), (level / 1.04, True), (level / 1.06, False)):
        assert AccuracyDrop(5.0).fires(_with(alone, cuts=1, seen=((before,),))) is goes_on


@pytest.mark.parametrize(("spec", "own"), [("mse", mse_loss), ("mse:half=true", lambda z, y: mse_loss(z, y) / 2)])
def test_a_step_goes_down_the_loss(spec, own):
    torch.manual_seed(0)
    model, x, y = nn.Linear(3, 2), torch.randn(8, 3), torch.randn(8, 2)
    before = model.weight.detach().clone()
    gradient = torch.autograd.grad(own(model(x), y), model.weight)[0]
    trainer = Trainer(
        model,
        x,
        y,
        Recipe(lr=0.5, momentum=0, weight_decay=0, batch_size=8),
        epochs=1,
        order_seed=0,
        task=Task(parse_loss(spec)),
    )
    trainer.run_epoch()
    torch.testing.assert_close(model.weight.detach(), before - 0.5 * gradient)


def test_a_batch_without_weight_moves_nothing():
    model, x = nn.Conv1d(1, 3, 1), torch.randn(4, 1, 5)
    before = model.weight.detach().clone()
    y = torch.full((4, 5), -100)
    trainer = Trainer(model, x, y, Recipe(lr=0.5, momentum=0, weight_decay=0, batch_size=4), epochs=1, order_seed=0)
    assert trainer.run_epoch() == 0
    assert torch.equal(model.weight, before)
