"""SynFlow: the hand-computed case, conservation of flow, and no layer that empties early."""

from itertools import pairwise

import pytest
import torch
from oracles.scoring import context_of
from torch import nn

from pruning.composition.composition import Composition
from pruning.composition.cutting import choose
from pruning.context.counts import alive_count, kept_count
from pruning.schedules.event import Span
from pruning.schedules.exponential import Exponential
from pruning.scorers.synaptic_flow import SynapticFlow


def network(*layers):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(*(layer() for layer in layers))


def scores_of(model, *shape, masks=None):
    return SynapticFlow().score(context_of(model, torch.zeros(1, *shape), torch.zeros(1).long(), masks))


def total_flow(model, *shape):
    """R, by a copy of the network whose parameters are made positive in place."""
    import copy

    positive = copy.deepcopy(model).double().eval()
    for parameter in positive.parameters():
        parameter.data.abs_()
    return positive, positive(torch.ones(1, *shape).double()).sum()


def test_by_hand():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    model[0].weight.data = torch.tensor([[1.0, -2.0], [-3.0, 4.0]])
    model[2].weight.data = torch.tensor([[-5.0, 6.0]])
    scores = scores_of(model, 2)
    assert scores["0.weight"].tolist() == [[5, 10], [18, 24]]
    assert scores["2.weight"].tolist() == [[15, 42]]
    model[0].weight.data.neg_()
    assert torch.equal(scores_of(model, 2)["0.weight"], scores["0.weight"])


def test_flow_is_conserved_by_layers_and_units():
    sizes = (5, 8, 6, 3)
    layers = [lambda i=i, o=o: nn.Linear(i, o, bias=False) for i, o in pairwise(sizes)]
    model = network(layers[0], nn.ReLU, layers[1], nn.ReLU, layers[2])
    masks = {"2.weight": torch.rand(6, 8, generator=torch.Generator().manual_seed(0)) > 0.5}
    scores = list(scores_of(model, 5, masks=masks).values())
    flow = total_flow(model, 5)[1].item()
    assert [layer.sum().item() for layer in scores] == pytest.approx([flow] * 3, rel=1e-12)
    for before, after in pairwise(scores):
        torch.testing.assert_close(before.sum(1), after.sum(0), rtol=1e-12, atol=0)


def convolutional(bias):
    return network(
        lambda: nn.Conv2d(1, 4, 3, padding=1, bias=bias),
        lambda: nn.BatchNorm2d(4) if not bias else nn.Identity(),
        nn.ReLU,
        lambda: nn.MaxPool2d(2),
        lambda: nn.Conv2d(4, 5, 3, bias=bias),
        nn.ReLU,
        nn.Flatten,
        lambda: nn.Linear(20, 3, bias=bias),
    )


def test_flow_is_conserved_through_convolutions_and_fresh_batch_norm():
    model = convolutional(bias=False)
    flow = total_flow(model, 1, 8, 8)[1].item()
    assert [layer.sum().item() for layer in scores_of(model, 1, 8, 8).values()] == pytest.approx([flow] * 3, rel=1e-12)


def test_with_biases_a_layer_and_all_biases_from_it_onward_make_up_the_flow():
    model = convolutional(bias=True)
    positive, flow = total_flow(model, 1, 8, 8)
    flow.backward()
    scores = scores_of(model, 1, 8, 8)
    layers = [name.removesuffix(".weight") for name in scores]
    biases = [positive.get_submodule(name).bias for name in layers]
    passed = [(bias.detach() * bias.grad).sum().item() for bias in biases]
    for depth, name in enumerate(layers):
        assert scores[f"{name}.weight"].sum().item() + sum(passed[depth:]) == pytest.approx(flow.item(), rel=1e-12)


def test_flow_passes_activations_that_would_saturate():
    plain = network(lambda: nn.Linear(50, 40), nn.ReLU, lambda: nn.Linear(40, 3))
    for saturating in (nn.ReLU6, nn.Tanh):
        model = nn.Sequential(plain[0], saturating(), plain[2])
        scores = scores_of(plain, 50)
        plain[0].weight.data.mul_(10)  # far beyond 6
        for found, expected in zip(scores_of(model, 50).values(), scores_of(plain, 50).values(), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
        assert scores_of(plain, 50)["0.weight"].sum() > 2 * scores["0.weight"].sum()


def test_float64_holds_the_flow_of_a_deep_network():
    wide = [lambda: nn.Linear(300, 300)] * 40
    scores = scores_of(network(*wide), 300)
    assert all(score.isfinite().all() for score in scores.values())
    assert scores["0.weight"].sum() > torch.finfo(torch.float32).max


def survivors(sizes, seed, kept, rounds):
    """Weights left in each layer of a linear network with normal weights."""
    model = nn.Sequential(*(nn.Linear(i, o, bias=False) for i, o in pairwise(sizes)))
    generator = torch.Generator().manual_seed(seed)
    for layer in model:
        layer.weight.data = torch.randn(layer.weight.shape, generator=generator)
    total = sum(weight.numel() for weight in model.parameters())
    parts, masks = Composition(SynapticFlow(), Exponential(rounds)), None
    for event in parts.schedule.events(Span(0.0, (1 - kept / total,), 1, 1)):
        context = context_of(model, torch.zeros(1, sizes[0]), torch.zeros(1).long(), masks)
        masks = choose(parts, context, kept_count(total, event.sparsity))
    assert alive_count(masks) == kept
    return [int(mask.sum()) for mask in masks.values()]


@pytest.mark.parametrize("seed", range(6))
def test_one_round_empties_the_large_layer_and_more_do_not(seed):
    assert survivors((100, 10, 1), seed, kept=5, rounds=1) == [0, 5]
    for rounds in (5, 20, 100):
        assert all(survivors((100, 10, 1), seed, kept=5, rounds=rounds))


@pytest.mark.parametrize("seed", range(3))
def test_no_layer_empties_while_as_many_weights_are_kept_as_there_are_layers(seed):
    sizes = (20, 30, 10, 10, 4)
    for kept in (4, 6, 12):
        assert all(survivors(sizes, seed, kept, rounds=100))
