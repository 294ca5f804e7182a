"""Retraining rules against schedules computed by hand, through the trainer, step by step."""

from dataclasses import replace
from math import cos, pi

import pytest
from oracles.pruning_battery import SGD, EveryKind, examples

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe
from pruning.recoveries.cut import Cut
from pruning.recoveries.retrain import Retrain, adaptive_peak
from pruning.recoveries.rewind import Rewind

STEPPED = Recipe(lr=0.1, schedule="step", milestones=(0.6, 0.8), batch_size=40)  # one step an epoch
TEN = Checkpoint(model={}, data={}, state={}, training={"epochs": 10}, weights_at={0: {}, 5: {}})


def rates(recovery, epochs, original=STEPPED, **cut):
    """The rates of a retraining that comes after some training."""
    trainer = Trainer(EveryKind(), *examples().train, original, epochs=10, order_seed=0)
    trainer.advance(3)
    told = {"parent": TEN, "recipe": original, "epochs": epochs, "first": True, "density": 0.5} | cut
    weights = {epoch: trainer.model.state_dict() for epoch in TEN.weights_at}
    told["parent"] = replace(TEN, weights_at=weights)
    recovery.recover(trainer, Cut(**({"removed": 0.5, "lost": 0.6} | told)))
    found = []
    for _ in range(epochs * trainer.steps_per_epoch):
        found.append(trainer.rate)
        trainer.advance(1)
    return found


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ft", [0.001] * 5),
        ("lrw", [0.1, 0.01, 0.01, 0.001, 0.001]),
        ("slr", [0.1, 0.1, 0.1, 0.01, 0.001]),
        ("llr", [0.1, 0.08, 0.06, 0.04, 0.02]),
        ("clr", [0.001 + 0.099 * (1 + cos(pi * step / 5)) / 2 for step in range(5)]),
        ("allr", [0.6 / 0.5**0.5 * 0.1 * (1 - step / 5) for step in range(5)]),
    ],
)
def test_rules_by_hand(rule, expected):
    """(0.1 x 6, 0.01 x 2, 0.001 x 2), of which five steps are a retraining: too few for a step of warm-up."""
    assert rates(Retrain(rule), 5) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rule", ["slr", "clr", "llr", "allr"])
def test_the_first_tenth_is_a_warm_up_and_the_rule_has_the_rest(rule):
    found = rates(Retrain(rule), 20, lost=1.0)
    assert found[:3] == pytest.approx([0.0, 0.05, 0.1], abs=1e-12)  # half a cosine, in 2 of 20 steps
    rest = {
        "slr": [0.1] * 11 + [0.01] * 4 + [0.001] * 3,
        "clr": [0.001 + 0.099 * (1 + cos(pi * step / 18)) / 2 for step in range(18)],
    }.get(rule, [0.1 * (1 - step / 18) for step in range(18)])
    assert found[2:] == pytest.approx(rest, rel=1e-9)


def test_rate_rewinding_replays_the_original_steps_bit_by_bit():
    original = Recipe(lr=0.1, schedule="cosine", batch_size=8)  # five steps an epoch
    dense = Trainer(EveryKind(), *examples().train, original, epochs=10, order_seed=0)
    every = []
    for _ in range(50):
        every.append(dense.rate)
        dense.advance(1)
    assert rates(Retrain("lrw"), 4, original) == every[30:]
    assert rates(Rewind(5), 5, original) == pytest.approx(every[25:], rel=1e-12)
    assert rates(Rewind(0), 10, original) == every


def test_the_adaptive_peak_by_hand():
    """W = (3, 4) loses 3: d = 0.6; half of the weights: 0.6 / sqrt(0.5) = 0.8485."""
    cut = Cut(parent=TEN, recipe=STEPPED, epochs=5, first=True, density=0.5, removed=0.5, lost=0.6)
    assert adaptive_peak(cut, 10) == pytest.approx(0.08485, abs=1e-5)
    assert adaptive_peak(replace(cut, lost=0.01), 10) == pytest.approx(0.05)  # not below T' / T
    assert adaptive_peak(replace(cut, lost=0.9), 10) == pytest.approx(0.1)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear", "plateau"])
def test_no_rule_exceeds_the_original_rate_or_stands_still(schedule):
    for rule in ("ft", "lrw", "slr", "clr", "llr", "allr"):
        found = rates(Retrain(rule), 4, replace(SGD, schedule=schedule))
        assert 0 <= min(found) <= max(found) <= SGD.lr
        assert max(found) > 0
