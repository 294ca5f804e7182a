"""ICE-Pruning: the rate, the layers that freeze, and when an epoch of fine-tuning is spent."""

import pytest
import torch
from oracles.pruning_battery import EPOCHS, SGD, Run, same, trained

from minima.store.command import BadInput
from minima.zoo.training.loop import Trainer
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
    careless, careful = walk(threshold=100, final_epochs=0), walk(threshold=0, final_epochs=0)
    layers, per_epoch = len(careless.masks), careless.trainer.steps_per_epoch
    assert [step for step, _ in careless.cuts] == [0] * layers
    assert careless.trainer.steps_done == 0
    assert [step for step, _ in careful.cuts] == [per_epoch * epoch for epoch in range(layers)]
    assert careful.trainer.steps_done == per_epoch * layers


def final_rates(monkeypatch, **flags):
    """Rates of the steps after the last cut and what it called for, and the engine."""
    begun = []
    restart = Trainer.restart

    def watched(self, recipe, epochs, after=0):
        begun.append((self.steps_done if hasattr(self, "steps_done") else 0, recipe.lr, epochs))
        restart(self, recipe, epochs, after)

    monkeypatch.setattr(Trainer, "restart", watched)
    return begun, walk(**flags)


@pytest.mark.parametrize(("asked", "made"), [(3, 3), (None, EPOCHS - 4), (99, EPOCHS - 4)])
def test_after_the_last_layer_come_final_epochs_at_twice_the_rate_within_the_epochs_of_the_run(
    asked, made, monkeypatch
):
    begun, engine = final_rates(monkeypatch, threshold=0, final_epochs=asked)
    per_epoch, lr = engine.trainer.steps_per_epoch, SGD.lr
    assert len(engine.masks) == 4
    assert begun[-1] == (4 * per_epoch, pytest.approx(2 * aware_rate(0.5, lr, 0.15, 50.0, 0.7 * lr)), made)
    assert engine.trainer.steps_done == (4 + made) * per_epoch


def test_what_was_frozen_stays_so_in_the_final_epochs_and_a_stopped_run_ends_alike():
    whole = Run(Ice(threshold=0, freeze=0.5).composition(), asked=(0.5,))
    stopped = Run(Ice(threshold=0, freeze=0.5).composition(), asked=(0.5,), stop_after=8)
    assert stopped.engine.trainer.steps_done > 4 * stopped.engine.trainer.steps_per_epoch
    resumed = Run(Ice(threshold=0, freeze=0.5).composition(), asked=(0.5,), state=stopped.states[0])
    assert same(resumed.final, whole.final)
    assert resumed.engine.trainer.steps_done == whole.engine.trainer.steps_done == whole.engine.span.steps


def test_a_negative_number_of_final_epochs_is_refused():
    with pytest.raises(BadInput, match="--final-epochs -1"):
        walk(final_epochs=-1)


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
    assert list(layer_of("conv.weight", trainer, list(trainer.masks))) == [
        "conv.weight",
        "conv.bias",
        "norm.weight",
        "norm.bias",
    ]
    assert list(layer_of("last.weight", trainer, list(trainer.masks))) == ["last.weight", "last.bias"]
