"""When cuts are made: patience, accuracy, a stable choice, the edge of stability."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles.pruning_battery import SGD, Run, examples
from torch import nn
from torch.nn.functional import cross_entropy

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.task import CLASSIFICATION
from pruning.methods.early_magnitude import EarlyMagnitude
from pruning.methods.iterative_magnitude import IterativeMagnitude
from pruning.triggers.edge import Edge, sharpness
from pruning.triggers.patience import Patience
from pruning.triggers.stability import Stability, indicator, is_stable


def after(losses, cuts=1):
    return SimpleNamespace(losses=losses, cuts=cuts)


def test_patience_by_hand():
    """5, 4, 4, 4 with a patience of 2 stops after the fourth."""
    losses = [5.0, 4.0, 4.0, 4.0]
    assert [Patience((2,)).fires(after(losses[:epochs])) for epochs in (1, 2, 3, 4)] == [False, False, False, True]
    assert Patience((2,)).fires(after([], cuts=0))
    fired = [Patience((3, 1)).fires(after([5.0, 5.0], cuts)) for cuts in (1, 2, 7)]
    assert fired == [False, True, True]


class Watched(Run):
    """A run that also writes down the validation loss after each epoch, and the weights that gave it."""

    def __init__(self, *arguments, **more):
        self.epochs = []
        super().__init__(*arguments, **more)

    def between(self):
        self.epochs.append((len(self.engine.cuts), evaluate(self.engine.trainer.model, *examples().validation).loss))
        super().between()


def test_a_patient_run_cuts_at_the_end_of_patience_from_the_best_weights_and_ends_likewise():
    """The course of the run, worked out anew from the losses it had."""
    run = Watched(IterativeMagnitude(rounds=2, wait=(1, 2)).composition(), asked=(0.5,))
    per_epoch = run.engine.trainer.steps_per_epoch
    assert run.engine.cuts[0][0] == 0
    for phase, patience in ((1, 1), (2, 2)):
        losses = [loss for cuts, loss in run.epochs if cuts == phase]
        best = min(range(len(losses)), key=losses.__getitem__)
        assert len(losses) - 1 - best == patience
    assert run.engine.cuts[1][0] == per_epoch * sum(cuts == 1 for cuts, _ in run.epochs)
    assert run.engine.trainer.steps_done == per_epoch * len(run.epochs) < run.engine.span.steps
    lowest = min(loss for cuts, loss in run.epochs if cuts == 2)
    assert evaluate(run.engine.trainer.model, *examples().validation).loss == lowest


def test_patience_without_end_reaches_what_the_epochs_allow():
    run = Run(IterativeMagnitude(rounds=2, wait=(40,)).composition(), asked=(0.5,))
    assert len(run.engine.cuts) == 1
    assert not run.engine.has_reached(0.5)
    assert run.engine.trainer.steps_done == run.engine.span.steps


structures = st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=1, max_size=16)


@given(structures, st.integers(1, 5), st.floats(0, 1))
def test_a_stable_choice_is_the_definition(seen, past, tau):
    def epi(last):
        now = seen[last]
        values = []
        for back in range(1, past + 1):
            parts = [abs(n - m) / (n + m) if n + m else 0 for n, m in zip(now, seen[last - back], strict=True)]
            values.append(1 - sum(parts) / 3)
        return sum(reversed(values)) / past

    history = [list(each) for each in seen]
    fires = is_stable(history, tau, past)
    assert history == [list(each) for each in seen]
    last = len(seen) - 1
    expected = last - 5 >= past and epi(last) > tau and all(epi(last) >= epi(last - back) for back in range(1, 6))
    assert fires == expected or min(abs(epi(last) - tau), 1) < 1e-12


def test_a_constant_choice_has_an_indicator_of_one():
    assert indicator([(10, 20)] * 4, 3) == 1.0
    assert not is_stable([(10, 20)] * 7, 0.9, 2)
    assert is_stable([(10, 20)] * 8, 0.9, 2)


def test_the_first_stable_epoch_is_the_one_of_the_cut():
    run = Run(EarlyMagnitude(past=2, tau=0.9).composition(), asked=(0.8,))
    epochs = [epoch for epoch in range(1, 17) if is_stable(run.engine.seen[: epoch + 1], 0.9, 2)]
    assert run.engine.cuts[0][0] == epochs[0] * run.engine.trainer.steps_per_epoch
    assert len(run.engine.seen) == 17
    assert all(sum(counts) == run.engine.cuts[0][1] for counts in run.engine.seen)
    assert Stability().note(run.engine.context(), lambda: {"a": torch.ones(3, dtype=torch.bool)}) == [3.0]


def context_of(model, recipe, rate):
    x, y = (part.double() if part.is_floating_point() else part for part in examples().train)
    return SimpleNamespace(model=model, x=x, y=y, masks={}, seed=0, recipe=recipe, rate=rate, task=CLASSIFICATION)


def dense_largest(model, x, y):
    names, values = zip(*((name, value.detach()) for name, value in model.named_parameters()), strict=True)
    sizes = [value.numel() for value in values]

    def loss(flat):
        parts = flat.split(sizes)
        weights = {name: part.view(value.shape) for name, part, value in zip(names, parts, values, strict=True)}
        return cross_entropy(torch.func.functional_call(model, weights, x), y)

    hessian = torch.autograd.functional.hessian(loss, torch.cat([value.flatten() for value in values]))
    return torch.linalg.eigvalsh(hessian)[-1].item()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_edge_is_where_the_rate_no_longer_bears_the_curvature(momentum):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 4)).double()
    recipe = replace(SGD, momentum=momentum)
    context = context_of(model, recipe, 0.1)
    largest = dense_largest(model, context.x[:30], context.y[:30])
    assert sharpness(context, 30) == pytest.approx(largest, rel=1e-2)
    edge = (2 + 2 * momentum) / (largest + recipe.weight_decay)
    fired = [Edge(samples=30).fires(context_of(model, recipe, rate)) for rate in (0.95 * edge, 1.05 * edge)]
    assert fired == [False, True]


@pytest.mark.parametrize(("curvature", "falls"), [(19.9, True), (20.1, False)])
def test_gradient_descent_bears_two_over_the_rate(curvature, falls):
    """What the trigger compares with: at a rate of 0.1, steps on c w^2 / 2 shrink below c = 20 and grow above."""
    weight = 1.0
    for _ in range(100):
        weight -= 0.1 * curvature * weight
    assert (abs(weight) < 1) == falls


def test_the_edge_needs_sgd():
    adam = replace(SGD, optimiser="adam")
    with pytest.raises(BadInput, match="--optimiser sgd"):
        Edge().fires(context_of(None, adam, 0.1))


def test_a_trigger_by_curvature_cuts_once():
    run = Run(EarlyMagnitude(when="edge", fraction=0.01, samples=20).composition(), asked=(0.8,))
    assert [step for step, _ in run.engine.cuts] == [run.engine.trainer.steps_per_epoch]
    assert run.engine.has_reached(0.8)
