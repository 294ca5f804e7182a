"""RISE: the losers stay where they were early in training, to the last bit."""

import torch
from oracles.pruning_battery import ADAM, SGD, Run, trained

from minima.store.checkpoints.checkpoint import load
from pruning.methods.rise import Rise


def test_losers_stay_at_their_early_values_under_momentum_and_decay():
    early = trained().weights_at[0]
    for recipe in (SGD, ADAM):
        run = Run(Rise().composition(), asked=(0.8,), recipe=recipe)
        weights = run.engine.trainer.model.state_dict()
        for name, mask in run.engine.masks.items():
            assert torch.equal(weights[name][~mask], early[name][~mask])
            assert not torch.equal(weights[name][mask], early[name][mask])
        winners = torch.cat([trained().state[name][mask].abs() for name, mask in run.engine.masks.items()])
        losers = torch.cat([trained().state[name][~mask].abs() for name, mask in run.engine.masks.items()])
        assert losers.max() <= winners.min()


def test_the_checkpoint_is_dense_and_says_what_is_frozen(dense, tmp_path, prune):
    words = [dense, "--sparsity", 0.9, "--epochs", 3, "--rewind", 1, "--keep", 1, "-o", tmp_path / "x.pt"]
    report = prune("rise", *words)
    made, early = load(tmp_path / "x.pt"), load(dense).weights_at[1]
    same = sum(int((made.state[name] == early[name]).sum()) for name in ("fc1.weight", "fc2.weight"))
    frozen = round(0.9 * (64 * 12 + 12 * 10))
    assert frozen <= same <= frozen + 120  # input pixels that are always 0 have no gradient, only decay
    assert made.masks == {}
    assert (report["sparsity"], report["reached"]) == (0.0, True)
    assert abs(made.metrics["frozen"] - 0.9) < 1e-3
    assert torch.count_nonzero(made.state["fc1.weight"]) == 64 * 12
