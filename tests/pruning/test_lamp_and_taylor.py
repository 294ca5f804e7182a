"""LAMP against its definition, Taylor importance against differences of the loss."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles.pruning_battery import Run, trained
from torch.nn.functional import cross_entropy

from pruning.methods.magnitude import OneShotMagnitude
from pruning.methods.taylor import Taylor
from pruning.scorers.lamp import lamp


@given(st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=12, unique_by=abs))
def test_lamp_is_the_square_over_the_squares_that_are_not_smaller(weights):
    found = lamp(torch.tensor(weights))
    for weight, score in zip(weights, found.tolist(), strict=True):
        not_smaller = sum(other**2 for other in weights if abs(other) >= abs(weight))
        assert abs(score - (weight**2 / not_smaller if weight else 0.0)) < 1e-12


def test_lamp_leaves_every_layer_its_largest_weight():
    run = Run(OneShotMagnitude(scope="lamp").composition(), asked=(0.99,), stop_after=1)
    largest = {name: trained().state[name].abs().argmax() for name in run.engine.masks}
    assert run.engine.alive >= len(largest)
    assert all(mask.flatten()[largest[name]] for name, mask in run.engine.masks.items())


def test_taylor_is_the_squared_change_of_the_loss_to_first_order():
    run = Run(Taylor(batches=1).composition(), asked=(0.5,), stop_after=7)
    context = run.engine.context()
    scores = run.engine.composition.scorer.score(context)
    model, small = context.model.double().eval(), 1e-4
    x, y = context.x[: context.batch_size].double(), context.y[: context.batch_size]

    def loss(weight, place, factor):
        kept = weight.data.flatten()[place].clone()
        weight.data.view(-1)[place] = factor * kept
        value = cross_entropy(model(x), y).item()
        weight.data.view(-1)[place] = kept
        return value

    for name, weight in context.weights.items():
        for place in range(0, weight.numel(), 17):
            change = (loss(weight, place, 1 + small) - loss(weight, place, 1 - small)) / (2 * small)
            assert abs(scores[name].flatten()[place].item() - change**2) <= 1e-5 * change**2 + 1e-9
