"""Loss and accuracy: the mean over examples, whatever the batches; the model comes out as it went in."""

import pytest
import torch
from torch import nn

from minima.zoo.data.holdout import holdout
from minima.zoo.examples.evaluation import evaluate


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 3))
    return model, torch.randn(23, 6, generator=generator), torch.randint(0, 3, (23,), generator=generator)


@pytest.mark.parametrize("batch_size", [None, 1, 7, 22, 23, 100])
def test_ragged_batches_change_nothing(case, batch_size):
    model, x, y = case
    double = model.double().eval()(x.double())
    expected = nn.functional.cross_entropy(double, y).item()
    found = evaluate(model.float(), x, y, batch_size)
    assert found.loss == pytest.approx(expected, rel=1e-6)
    assert found.accuracy == (double.argmax(1) == y).sum().item() / 23
    assert found.samples == 23


def test_modes_and_statistics_are_left_as_found(case):
    model, x, y = case
    model.train()
    model[2].eval()
    statistics = model[1].running_mean.clone()
    evaluate(model, x, y)
    assert [module.training for module in model] == [True, True, False, True]
    assert torch.equal(model[1].running_mean, statistics)


def test_holdout_is_a_partition_fixed_by_its_seed():
    train, held = holdout(100, 0.13, seed=4)
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(100))
    assert len(held) == 13
    assert torch.equal(held, holdout(100, 0.13, seed=4)[1])
    assert not torch.equal(held, holdout(100, 0.13, seed=5)[1])


class Merging(nn.Module):
    """Makes something of its weights when it goes into eval mode, as merged adapters and rewritten layers do."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 2))

    def train(self, mode=True):
        if not mode:
            self.merged = 2 * self.weight.detach()
        return super().train(mode)

    def forward(self, x):
        return x @ (2 * self.weight if self.training else self.merged).T


def test_a_network_in_eval_mode_is_told_so_once_more():
    model = Merging().eval()
    model.load_state_dict({"weight": torch.arange(6.0).view(3, 2)})  # what it merged is of other weights
    x, y = torch.eye(2), torch.tensor([2, 2])
    expected = nn.functional.cross_entropy(x @ (2 * model.weight).T, y).item()
    assert evaluate(model, x, y).loss == pytest.approx(expected, rel=1e-6)
