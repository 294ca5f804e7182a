"""What happens right after a cut: weights, optimiser, learning-rate rule."""

from dataclasses import replace

import pytest
import torch
from oracles.pruning_battery import SGD, Run, same, trained

from minima.store.command import BadInput
from pruning.composition.composition import Composition
from pruning.recoveries.cut import Cut
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.recoveries.go_on import GoOn
from pruning.recoveries.rewind import Rewind
from pruning.schedules.one_shot import OneShot
from pruning.scorers.magnitude import Magnitude

HALF = {"density": 0.5, "removed": 0.5, "lost": 0.1}


def cut(epochs, **others):
    return Cut(**{"parent": trained(), "recipe": SGD, "epochs": epochs, "first": True} | HALF | others)


@pytest.fixture
def trainer():
    """In the midst of a run, with half of the weights removed and the optimiser's slots full."""
    return Run(Composition(Magnitude(), OneShot()), asked=(0.5,), stop_after=3).engine.trainer


def test_rewinding_brings_back_the_snapshot_bit_by_bit(trainer):
    masks = trainer.masks
    Rewind(0).recover(trainer, cut(epochs=3))
    initial, now = trained().weights_at[0], trainer.model.state_dict()
    for name, value in now.items():
        expected = initial[name] * masks[name] if name in masks else initial[name]
        if name != "again.weight":  # the shared tensor has its mask under one name only
            assert torch.equal(value, expected)
    assert torch.equal(now["again.weight"], now["shared.weight"])
    assert same(trainer.masks, masks)
    assert not any(slot.any() for slots in trainer.update.slots.values() for slot in slots)


def test_rewinding_to_an_epoch_that_is_not_kept_says_which_are():
    with pytest.raises(BadInput, match=r"--rewind 5.*holds: 0"):
        Rewind(5).check(trained())


def test_a_fresh_optimiser_keeps_the_weights_and_replays_the_rate(trainer):
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.restart(replace(SGD, schedule="cosine"), 2)
    trainer.advance(5)
    assert trainer.rate < SGD.lr
    FreshOptimiser().recover(trainer, cut(epochs=4))
    assert not any(slot.any() for slots in trainer.update.slots.values() for slot in slots)
    assert trainer.rate == SGD.lr
    trainer.advance(1)
    assert not same(before, trainer.model.state_dict())


def test_going_on_changes_nothing(trainer):
    before = trainer.state_dict()
    GoOn().recover(trainer, cut(epochs=4))
    after = trainer.state_dict()
    assert same(before["model"], after["model"])
    before_slots, after_slots = (state["optimiser"]["slots"]["momentum"] for state in (before, after))
    assert all(torch.equal(one, other) and one.any() for one, other in zip(before_slots, after_slots, strict=True))
