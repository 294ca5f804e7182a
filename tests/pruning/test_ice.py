"""ICE-Pruning: the rate, the layers that freeze, and when an epoch of fine-tuning is spent."""

import pytest
import torch
from oracles.pruning_battery import Run, trained

from pruning.context.counts import kept_count
from pruning.methods.ice import Ice
from pruning.recoveries.aware_rate import aware_rate, layer_of, least_changed
from pruning.triggers.accuracy_drop import needs_training


def test_the_rate_by_hand():
    found = [aware_rate(x, 0.001, 0.12, 50, 7.5e-4) for x in (1, 0.95, 0.88, 0.8, 0.5)]
    assert found == pytest.approx([0.001, 0.00099974, 0.000625, 0.00025008, 0.00025], abs=1e-8)


def test_training_is_called_for_by_a_fall_of_the_threshold_and_no_less():
    assert [needs_training(90.0, now, 1.0) for now in (89.5, 89.0)] == [False, True]


def test_the_layers_that_change_least_freeze():
    assert least_changed({0: 0.3, 1: 0.1, 2: 0.2, 3: 0.4}, 0.5) == [1, 2]


def walk(sparsity=0.5, **flags):
    return Run(Ice(**flags).composition(), asked=(sparsity,)).engine


def test_without_a_fall_of_accuracy_nothing_is_trained_and_with_any_every_cut_costs_an_epoch():
    careless, careful = walk(threshold=100), walk(threshold=0)
    layers, per_epoch = len(careless.masks), careless.trainer.steps_per_epoch
    assert [step for step, _ in careless.cuts] == [0] * layers
    assert careless.trainer.steps_done == 0
    assert [step for step, _ in careful.cuts] == [per_epoch * epoch for epoch in range(layers)]
    assert careful.trainer.steps_done == per_epoch * layers


@pytest.mark.parametrize("sparsity", [0.5, 0.01])
def test_every_layer_loses_the_same_fraction_in_its_turn(sparsity):
    """At 0.01 the smallest layer loses nothing, and the others still their own share."""
    engine = walk(sparsity, threshold=100)
    for mask in engine.masks.values():
        assert abs(int(mask.sum()) - (1 - sparsity) * mask.numel()) <= 1
    assert engine.alive == kept_count(engine.total, sparsity)


def test_frozen_layers_do_not_move_though_they_are_pruned():
    engine = walk(threshold=0, freeze=0.5)
    model, frozen = engine.trainer.model, engine.trainer.frozen
    weights = [name for name in frozen if name in engine.masks]
    assert len(weights) == 2
    for name in frozen:
        was = trained().state[name]
        expected = was * engine.masks[name] if name in engine.masks else was
        assert torch.equal(model.get_parameter(name), expected)
    moved = [name for name in engine.masks if name not in frozen]
    assert all(not torch.equal(model.get_parameter(name), trained().state[name] * engine.masks[name]) for name in moved)


def test_a_layer_is_its_weight_its_bias_and_the_norm_behind_it():
    trainer = walk(threshold=100).trainer
    assert list(layer_of("conv.weight", trainer)) == ["conv.weight", "conv.bias", "norm.weight", "norm.bias"]
    assert list(layer_of("last.weight", trainer)) == ["last.weight", "last.bias"]
