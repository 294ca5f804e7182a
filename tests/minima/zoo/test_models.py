"""Networks by name: their size, their settings, and that a file cannot choose code."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.architecture.architecture import build, parse_architecture
from minima.zoo.architecture.blocks.transformer import Attention

PUBLISHED_PARAMETERS = {  # published counts for the data each network was designed on
    "lenet300": ((1, 28, 28), 266_610),
    "lenet5": ((1, 28, 28), 431_080),
    "resnet20": ((3, 32, 32), 269_722),
    "resnet32": ((3, 32, 32), 464_154),
    "resnet56": ((3, 32, 32), 853_018),
}


@pytest.mark.parametrize("name", PUBLISHED_PARAMETERS)
def test_parameter_counts_are_the_published_ones(name):
    shape, published = PUBLISHED_PARAMETERS[name]
    assert count(name, shape) == published


def count(spec, shape=(3, 32, 32), classes=10):
    return sum(parameter.numel() for parameter in parse_architecture(spec).build(shape, classes).parameters())


def test_vgg16_has_the_parameters_of_its_table():
    table = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]  # column D
    convolutions = sum(9 * before * after for before, after in pairwise([3, *table]))
    assert count("vgg16") == convolutions + 2 * sum(table) + (512 + 1) * 10 == 14_724_042


def test_vit_has_the_parameters_of_its_layers():
    dim, tokens = 64, 8 * 8
    block = 2 * 2 * dim + (dim + 1) * 3 * dim + (dim + 1) * dim + (dim + 1) * 4 * dim + (4 * dim + 1) * dim
    ends = (3 * 4 * 4 + 1) * dim + tokens * dim + 2 * dim + (dim + 1) * 10
    assert count("vit") == 4 * block + ends == 207_946


def test_mobilenet_has_the_parameters_of_its_layers():
    def unit(before, after, kernel=1, groups=1):
        return kernel**2 * before * after // groups + 2 * after

    def block(before, after):
        hidden = 4 * before
        return unit(before, hidden) + unit(hidden, hidden, 3, hidden) + unit(hidden, after)

    blocks = sum(block(*pair) for pair in pairwise([16, 16, 16, 32, 32, 64, 64]))
    assert count("mobilenet") == unit(3, 16, 3) + blocks + unit(64, 256) + (256 + 1) * 10 == 89_946


@pytest.mark.parametrize(("side", "pools"), [(8, 3), (28, 4), (32, 5), (64, 5), (1, 0)])
def test_vgg16_pools_while_the_image_has_two_pixels_a_side(side, pools):
    network = parse_architecture("vgg16:width=1").build((1, side, side), 10).eval()
    assert [type(layer) for layer in network].count(nn.MaxPool2d) == pools
    assert network(torch.zeros(2, 1, side, side)).shape == (2, 10)


def test_attention_is_torchs():
    attention = Attention(6, heads=2)
    theirs = nn.MultiheadAttention(6, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": attention.qkv.weight,
            "in_proj_bias": attention.qkv.bias,
            "out_proj.weight": attention.out.weight,
            "out_proj.bias": attention.out.bias,
        }
    )
    x = torch.randn(3, 5, 6)
    torch.testing.assert_close(attention(x), theirs(x, x, x)[0])


def test_lenet5_on_digits_ends_with_two_by_two_positions():
    network = parse_architecture("lenet5").build((1, 8, 8), 10)
    assert network.fc1.in_features == 50 * 2 * 2


def test_settings_are_read_from_the_spec():
    assert parse_architecture("mlp:hidden=5x4x3").hidden == (5, 4, 3)
    assert parse_architecture("lenet5:units=7,filters=2x3").filters == (2, 3)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("lenet6", "lenet300"),
        ("mlp:depth=3", "hidden"),
        ("resnet20:width=wide", "wide"),
        ("vgg16:width=0", "from 1 on"),
        ("mlp:hidden=5x-1", "from 1 on"),
        ("my_net.py:Net", "foreign"),
        ("timm:resnet18", "foreign"),
    ],
)
def test_a_wrong_spec_says_what_there_is(spec, named):
    with pytest.raises(BadInput, match=named):
        parse_architecture(spec)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("vit:patch=3", "patch=1, 2, 4, 8"),
        ("vit:heads=5", "heads=5 does not divide dim=64"),
        ("mobilenet:activation=tanh", "activation=hardswish"),
    ],
)
def test_settings_that_do_not_go_together_say_what_would(spec, said):
    with pytest.raises(BadInput, match=said):
        parse_architecture(spec).build((1, 8, 8), 10)


def test_a_checkpoint_cannot_choose_code():
    for name in ("evil.py:factory", "torchvision:resnet18"):
        with pytest.raises(BadInput, match=f"--model {name}"):
            build({"name": name, "arguments": {}, "input_shape": [1], "classes": 2})


def test_shared_tensors_are_prunable_once():
    first = nn.Linear(3, 3)
    second = nn.Linear(3, 3)
    second.weight = first.weight
    network = nn.Sequential(first, nn.BatchNorm1d(3), second)
    assert list(prunable(network)) == ["0.weight"]
