"""SBP-SR: where it starts, what the rescaling trick restores, and what stable residuals bound."""

import pytest
import torch
from oracles.pruning_battery import Run, trained
from torch import nn

from minima.store.command import BadInput
from minima.zoo.architecture.blocks.residual import BasicBlock
from pruning.context.starts import EdgeOfChaos, to_variance
from pruning.methods.sbp_sr import SbpSr


def fan_in_times_mean_square(weight):
    return (weight[0].numel() * weight.double().square().mean()).item()


@pytest.mark.parametrize("variance", [1.0, 2.0])
def test_it_starts_at_the_edge_with_the_parents_draw(variance):
    first, start = trained().weights_at[0], EdgeOfChaos(variance).weights(trained())
    for name in ("conv.weight", "first.weight", "shared.weight", "last.weight"):
        assert fan_in_times_mean_square(start[name]) == pytest.approx(variance, rel=1e-6)
        factors = start[name] / first[name]
        assert factors.max().item() == pytest.approx(factors.min().item(), rel=1e-5)
        assert first[name.replace("weight", "bias")].any()
        assert not start[name.replace("weight", "bias")].any()
    assert torch.equal(start["norm.weight"], first["norm.weight"])
    assert torch.equal(start["again.weight"], start["shared.weight"])


@pytest.mark.parametrize("sparsity", [0.5, 0.9])
def test_survivors_are_back_at_the_edge_right_after_the_cut(sparsity, monkeypatch):
    from pruning.running.engine import Engine

    monkeypatch.setattr(Engine, "_train_to", lambda *_: None)
    for rescale in (True, False):
        _, weights = Run(SbpSr(rescale=rescale).composition(), asked=(sparsity,)).emitted[sparsity]
        at_the_edge = [abs(fan_in_times_mean_square(weight) - 2) < 1e-6 for weight in weights.values()]
        assert all(at_the_edge) if rescale else not any(at_the_edge)


def test_an_empty_layer_stays_empty_and_a_bad_variance_is_refused():
    assert not to_variance(torch.zeros(2, 3), 2.0).any()
    with pytest.raises(BadInput, match="--variance 0"):
        EdgeOfChaos(0.0)


def growth(blocks, factor):
    """Variance of the output of so many blocks over that of their input, norms as they begin."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        chain = nn.Sequential(*(BasicBlock(8, 8, 1, factor) for _ in range(blocks))).eval()
        for module in chain.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        x = torch.randn(4, 8, 6, 6).relu()
    with torch.no_grad():
        return (chain(x).var() / x.var()).item()


def test_stable_residuals_bound_the_variance_in_the_number_of_blocks():
    assert growth(32, 1.0) > 1e4 * growth(4, 1.0)
    assert all(0.5 < growth(blocks, blocks**-0.5) / growth(4, 0.5) < 3 for blocks in (16, 64))
