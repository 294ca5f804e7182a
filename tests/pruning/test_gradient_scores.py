"""SNIP, GraSP and ProsPr: hand-computed cases, brute force, dense float64 matrices and finite differences."""

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.dense_landscape import Dense
from oracles.pruning_battery import EveryKind, examples
from oracles.scoring import context_of
from oracles.small_networks import make

from minima.store.command import BadInput
from pruning.context.probe import Probe
from pruning.scorers.gradient_flow import GradientFlow, hessian_gradient
from pruning.scorers.look_ahead import LookAhead
from pruning.scorers.sensitivity import Sensitivity, gradient
from pruning.selection.ranking import keep_highest

KINDS = ("mlp", "conv", "batchnorm", "tied", "attention", "masked")


def at(*values):
    return {"w": torch.tensor(values, dtype=torch.float64, requires_grad=True)}


def squared_error(w):
    return (w["w"] @ torch.tensor([1.0, 2.0]).double()) ** 2 / 2


def bowl(*curvatures):
    return lambda w: (torch.tensor(curvatures, dtype=torch.float64) * w["w"] ** 2).sum() / 2


def kept(scores, count):
    return keep_highest({"w": scores}, {"w": torch.ones_like(scores, dtype=torch.bool)}, [(("w",), count)])["w"]


def test_sensitivity_by_hand():
    w = at(3.0, -2.0)
    scores = (w["w"] * gradient([squared_error], w)["w"]).abs().detach()
    assert scores.tolist() == [3, 4]
    assert kept(scores, 1).tolist() == [False, True]
    assert kept(w["w"].detach().abs(), 1).tolist() == [True, False]
    removed = at(0.0, -2.0)  # a gate's own gradient would be 12 where the weight is removed
    assert (removed["w"] * gradient([squared_error], removed)["w"]).abs().tolist() == [0, 16]


def test_gradient_flow_by_hand():
    for loss, w, scores in (
        (bowl(2.0, 1.0), at(1.0, 1.5), [4, 2.25]),
        (lambda w: w["w"].sum() ** 2 / 2, at(2.0, -1.0), [4, -2]),  # g = (1, 1); without the second |g|^2 is 8
    ):
        found = (w["w"] * hessian_gradient([loss], w)["w"]).detach()
        assert found.tolist() == scores
        assert kept(found, 1).tolist() == [True, False]


entries = st.floats(-3, 3).filter(lambda value: abs(value) > 0.01)


@settings(max_examples=40)
@given(st.lists(st.tuples(entries, entries), min_size=3, max_size=6), st.data())
def test_what_gradient_flow_removes_leaves_the_largest_gradient_of_a_diagonal_quadratic(terms, data):
    count = data.draw(st.integers(1, len(terms) - 1))
    loss, values = bowl(*(curvature for curvature, _ in terms)), torch.tensor([w for _, w in terms]).double()

    def left(keep):
        return gradient([loss], at(*(values * keep).tolist()))["w"].square().sum().item()

    w = at(*values.tolist())
    chosen = kept((w["w"] * hessian_gradient([loss], w)["w"]).detach(), count)
    every = [torch.tensor([i in some for i in range(len(terms))]) for some in combinations(range(len(terms)), count)]
    assert left(chosen) == pytest.approx(max(map(left, every)), rel=1e-9)


def scores_by_the_dense_matrix(case):
    """|w g| and w (H g) over the convolution and linear weights, in the layers' order, and the indices of these."""
    dense = Dense(case.model, case.x, case.y, case.masks)
    weights = context_of(case.model, case.x, case.y).weights
    prunable = torch.cat([torch.full((p.numel(),), name in weights) for name, p in dense.named.items()])
    slope = dense.gradient("full")[prunable]
    product = dense.hessian("full")[prunable][:, prunable] @ slope
    return (dense.w[prunable] * slope).abs(), dense.w[prunable] * product


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_networks_are_those_of_the_dense_matrix(kind):
    case = make(kind, dtype=torch.float64)
    context = context_of(case.model, case.x, case.y, case.masks)
    everything = Probe(examples=len(case.x))
    for scorer, expected in zip((Sensitivity, GradientFlow), scores_by_the_dense_matrix(case), strict=True):
        scores = scorer(everything).score(context)
        found = torch.cat([scores[name].flatten() for name in context.weights])
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def every_kind():
    """The battery's network in float64, moved a little from where its norms and biases begin."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = EveryKind().double()
        for parameter in model.parameters():
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    x, y = examples().train
    return context_of(model, x.double(), y)


def test_hessian_times_gradient_in_train_mode_by_finite_differences():
    context, probe, step = every_kind(), Probe(examples=5, by="class", temperature=3.0, mode="train"), 1e-5
    weights = {name: weight.detach().clone().requires_grad_() for name, weight in context.weights.items()}
    with probe.losses(context) as losses:
        slope, product = gradient(losses, weights), hessian_gradient(losses, weights)

        def beside(sign):
            return gradient(
                losses, {name: (w.detach() + sign * step * slope[name]).requires_grad_() for name, w in weights.items()}
            )

        ahead, behind = beside(1), beside(-1)
    assert len(losses) > 1
    for name in weights:
        torch.testing.assert_close(product[name], (ahead[name] - behind[name]) / (2 * step), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("first_order", "steps", "scores"),
    [(False, 1, [0.36, 0.0512]), (True, 1, [0.6, 0.256]), (False, 0, [1, 1.28])],
)
def test_looking_ahead_by_hand(first_order, steps, scores):
    w, scorer = at(1.0, 0.8), LookAhead(Probe(), steps=steps, rate=0.4, first_order=first_order)
    slopes = scorer.meta_gradient([bowl(1.0, 2.0)] * (steps + 1), w, {})
    assert (w["w"] * slopes["w"]).abs().tolist() == pytest.approx(scores)


@settings(max_examples=30)
@given(st.integers(0, 5), st.floats(0, 0.9))
def test_looking_ahead_with_momentum_is_linear_recursion_on_a_quadratic(steps, momentum):
    curvature, rate = 1.7, 0.3
    place, velocity = 1.0, 0.0
    for _ in range(steps):
        velocity = momentum * velocity + curvature * place
        place -= rate * velocity
    scorer = LookAhead(Probe(), steps=steps, rate=rate, momentum=momentum)
    slope = scorer.meta_gradient([bowl(curvature)] * (steps + 1), at(2.0), {})["w"].item()
    assert slope == pytest.approx(curvature * place**2 * 2.0, rel=1e-9)


def trained_loss(losses, scorer, weights, masks):
    """The last loss after plain steps down the others."""
    velocity = {name: torch.zeros_like(value) for name, value in weights.items()}
    for loss in losses[:-1]:
        leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
        slopes = torch.autograd.grad(loss(leaves), list(leaves.values()))
        for name, slope in zip(leaves, slopes, strict=True):
            velocity[name] = scorer.momentum * velocity[name] + slope * masks.get(name, 1)
            weights = weights | {name: weights[name] - scorer.rate * velocity[name]}
    return losses[-1](weights).item()


def test_looking_ahead_through_a_network_by_finite_differences():
    case = make("masked", dtype=torch.float64)
    context = context_of(case.model, case.x, case.y, case.masks)
    scorer = LookAhead(Probe(examples=8, mode="train"), steps=3, rate=0.2, momentum=0.5, fresh=True)
    scores = scorer.score(context)
    start = {name: value.detach().clone() for name, value in case.model.named_parameters()}
    batches = [scorer.probe.draw(context, draw) for draw in range(4)]

    def loss_on(x, y):
        def loss(weights):
            return torch.nn.functional.cross_entropy(torch.func.functional_call(case.model, weights, (x,)), y)

        return loss

    losses, step = [loss_on(*batch) for batch in batches], 1e-5
    assert not torch.equal(batches[0][0], batches[1][0])
    for name, weight in context.weights.items():
        assert not scores[name][~context.masks[name]].any()
        for index in context.masks[name].nonzero().tolist()[::4]:
            moved = torch.zeros_like(weight)
            moved[tuple(index)] = step
            ahead, behind = (
                trained_loss(losses, scorer, start | {name: start[name] + sign * moved}, context.masks)
                for sign in (1, -1)
            )
            slope = (ahead - behind) / (2 * step)
            expected = abs(slope * weight[tuple(index)].item())
            assert scores[name][tuple(index)].item() == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_a_sample_is_a_function_of_the_seed_and_balanced_where_asked():
    x, y = torch.arange(60.0)[:, None], torch.arange(60) % 3
    context = context_of(torch.nn.Linear(1, 3), x, y[torch.arange(60) // 2])
    by_class = Probe(examples=5, by="class")
    assert by_class.draw(context)[1].bincount().tolist() == [5, 5, 5]
    draws = [Probe(examples=12).draw(context, draw)[0].flatten().tolist() for draw in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert len(set(draws[0])) == 12
    assert len(Probe(examples=99).draw(context)[0]) == 60


def test_bad_values_are_refused():
    context = context_of(torch.nn.Linear(2, 3), torch.ones(4, 2), torch.rand(4, 3))
    with pytest.raises(BadInput, match=r"number of its class(.|\n)*float32"):
        Sensitivity(Probe(by="class")).score(context)
    for word, values in (("--examples 0", {"examples": 0}), ("--temperature 0", {"temperature": 0.0})):
        with pytest.raises(BadInput, match=word):
            Probe(**values)
    for word, values in (("--steps", {"steps": -1}), ("--inner-lr", {"rate": -1.0}), ("--inner-m", {"momentum": 1.0})):
        with pytest.raises(BadInput, match=word):
            LookAhead(Probe(), **values)
