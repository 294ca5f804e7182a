"""The drop rules against the hand-computed case of the specification and the rules' own formulas."""

import pytest
import torch

from minima.store.command import BadInput
from pruning.context.drop import Flow, Layer, drop_named, drops

WEIGHT, GRADIENT = torch.tensor([1.0, 2, -3, 0.5]), torch.tensor([4.0, 1, 0.1, -8])
PRODUCTS = {
    Flow(dense=False): torch.tensor([-1.0, 0.5, 2, 4]),
    Flow(dense=True, temperature=200.0): torch.tensor([1.0, -0.5, 1, 2]),
}


def layer(weight=WEIGHT, gradient=GRADIENT, kept=None):
    everything = torch.ones(weight.shape, dtype=torch.bool)
    return Layer(
        weight, lambda: gradient, PRODUCTS.__getitem__, everything if kept is None else kept, lambda _: torch.rand(4)
    )


SCORES = {  # by hand; the lowest goes
    "magnitude": [1, 2, 3, 0.5],
    "snip": [4, 2, 0.3, 4],
    "mest": [5, 3, 3.1, 8.5],
    "reciprocal-sensitivity": [0.25, 2, 30, 0.0625],
    "sensitivity": [4, 0.5, 1 / 30, 16],
    "gradstep": [3, 1, 3.1, 8.5],
    "taylor": [16, 4, 0.09, 16],
    "running-magnitude": [1, 2, 3, 0.5],
    "running-snip": [4, 2, 0.3, 4],
    "set": [1, 2, 0, 0],  # ranks within each sign
    "grasp-kept": [-1, 1, -6, 2],
    "grasp": [1, -1, -3, 1],
}


@pytest.mark.parametrize("name", drops())
def test_every_rule_of_the_registry_scores_every_weight(name):
    found = drop_named(name).score(layer())
    assert found.shape == WEIGHT.shape
    assert found.isfinite().all()


@pytest.mark.parametrize("name", SCORES)
def test_scores_by_hand(name):
    assert drop_named(name).score(layer()).tolist() == pytest.approx(SCORES[name], rel=1e-6)


def test_set_takes_as_many_of_both_signs_and_looks_past_removed_weights():
    weight = torch.tensor([0.3, -9.0, 0.0, 0.1, -7.0, 0.2, -8.0])
    kept = torch.tensor([1, 1, 0, 1, 1, 1, 1], dtype=torch.bool)
    score = drop_named("set").score(layer(weight, None, kept))
    assert sorted(torch.where(kept, score, torch.inf).argsort(stable=True)[:4].tolist()) == [3, 4, 5, 6]


def test_an_unknown_rule_names_the_known_ones():
    with pytest.raises(BadInput, match="--drop size: expected one of gradstep, grasp, grasp-kept, magnitude"):
        drop_named("size")
