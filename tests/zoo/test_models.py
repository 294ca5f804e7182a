"""Networks by name: their size, what they accept, and that a file cannot choose code."""

import pytest
import torch

from store.command import BadInput
from zoo.architecture import architectures, build, describe, initialise, parse_architecture
from zoo.prunable import prunable

PUBLISHED_PARAMETERS = {  # published counts for the data each network was designed on
    "lenet300": ((1, 28, 28), 266_610),
    "lenet5": ((1, 28, 28), 431_080),
    "resnet20": ((3, 32, 32), 269_722),
}


@pytest.mark.parametrize("name", PUBLISHED_PARAMETERS)
def test_parameter_counts_are_the_published_ones(name):
    shape, count = PUBLISHED_PARAMETERS[name]
    network = parse_architecture(name).build(shape, 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("name", architectures())
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32)])
def test_every_network_fits_small_and_larger_images(name, shape):
    description = describe(parse_architecture(name), shape, classes=7)
    network = initialise(description, seed=0).eval()
    assert network(torch.randn(2, *shape)).shape == (2, 7)
    assert prunable(network)


@pytest.mark.parametrize("name", architectures())
def test_initial_weights_follow_the_seed_alone(name):
    description = describe(parse_architecture(name), (1, 8, 8), 10)
    before = torch.random.get_rng_state()
    first, again, other = (initialise(description, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_lenet5_on_digits_ends_with_two_by_two_positions():
    network = parse_architecture("lenet5").build((1, 8, 8), 10)
    assert network.fc1.in_features == 50 * 2 * 2


def test_settings_are_read_from_the_spec():
    assert parse_architecture("mlp:hidden=5x4x3").hidden == (5, 4, 3)
    assert parse_architecture("lenet5:units=7,filters=2x3").filters == (2, 3)


@pytest.mark.parametrize(
    ("spec", "named"), [("lenet6", "lenet300"), ("mlp:depth=3", "hidden"), ("resnet20:width=wide", "wide")]
)
def test_a_wrong_spec_says_what_there_is(spec, named):
    with pytest.raises(BadInput, match=named):
        parse_architecture(spec)


def test_a_checkpoint_cannot_choose_code():
    with pytest.raises(BadInput, match="--model"):
        build({"name": "evil.py:factory", "arguments": {}, "input_shape": [1], "classes": 2})


def test_shared_tensors_are_prunable_once():
    from torch import nn

    first = nn.Linear(3, 3)
    second = nn.Linear(3, 3)
    second.weight = first.weight
    network = nn.Sequential(first, nn.BatchNorm1d(3), second)
    assert list(prunable(network)) == ["0.weight"]
