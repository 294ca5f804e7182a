"""Networks made smaller compute what their masked twins do: every network of the zoo, random graphs, hand cases."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.masked_units import mask_units, same_outputs, unsettle
from torch import nn
from torch.nn import functional

from minima.store.command import BadInput
from minima.zoo.anatomy.narrowing.narrow import apply_shrunk
from minima.zoo.anatomy.removable import removable
from minima.zoo.architecture.architecture import architectures, parse_architecture
from pruning import prune, shrink_network
from pruning.shrink.constants import readings

NARROW = {
    "lenet5": "units=20",
    "lenet300": "",
    "mobilenet": "width=4,blocks=1",
    "vgg16": "width=4",
    "vit": "dim=16,depth=1",
}
NARROW |= dict.fromkeys(("resnet20", "resnet32", "resnet56", "stable-resnet20"), "width=4")


def built(name):
    torch.manual_seed(0)
    spec = f"{name}:{NARROW[name]}" if NARROW.get(name) else name
    return unsettle(parse_architecture(spec).build((1, 8, 8), 10))


@pytest.mark.parametrize("name", sorted(architectures()))
def test_every_network_of_the_zoo(name):
    """Half the units masked with all that makes them: they are gone, and a module built anew is the same network."""
    model, x = built(name), torch.randn(6, 1, 8, 8)
    mask_units(model, x)
    small = shrink_network(model, x)
    assert all(2 * after <= before + 1 for before, after in small.units.values())
    assert small.after.parameters < 0.6 * small.before.parameters
    anew = apply_shrunk(built(name), {"shrunk": [small.manifest.plain()]})
    anew.load_state_dict(small.model.state_dict())
    assert same_outputs(model, anew, x, atol=1e-5)
    if name not in ("resnet32", "resnet56"):  # deeper ones of resnet20
        assert shrink_network(small.model, x).removed == {}


@pytest.mark.parametrize("name", ["resnet20", "mobilenet", "vit"])
@pytest.mark.parametrize("fold", [False, True])
def test_dead_units_with_biases_and_norms(name, fold):
    """Weights alone are masked: what biases and norms make of the units is folded, or one of them stays."""
    model, x = built(name), torch.randn(6, 1, 8, 8)
    mask_units(model, x, weights_only=True)
    small = shrink_network(model, x, fold_batch_norm=fold)
    assert same_outputs(model, small.model, x, atol=1e-5)
    assert small.removed
    norms = [module for module in small.model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert (not norms) == (fold or name == "vit")


class Graph(nn.Module):
    """A random network: each step makes a new tensor of one or two that are there."""

    def __init__(self, steps, seed, flat):
        super().__init__()
        torch.manual_seed(seed)
        self.steps, self.flat, widths = steps, flat, [2]
        self.layers = nn.ModuleList()
        for kind, first, second in steps:
            layer, width = self._layer(kind, widths, first % len(widths), second % len(widths))
            self.layers.append(layer)
            widths.append(width)
        self.widths = widths
        self.head = nn.Linear(widths[-1] * (25 if flat else 1), 3)
        unsettle(self, seed)

    @staticmethod
    def _layer(kind, widths, first, second):
        width = widths[first]
        if kind in ("conv", "padded", "strided"):
            padding = 0 if kind == "conv" else 1
            bias = (first + second) % 2 == 0
            size = 1 if kind == "conv" else 3
            return nn.Conv2d(width, 4, size, padding=padding, bias=bias), 4
        if kind == "depthwise":
            return nn.Conv2d(width, width, 3, padding=1, groups=width), width
        if kind == "grouped":
            groups = 2 if width % 2 == 0 else 1
            return nn.Conv2d(width, 6, 3, padding=1, groups=groups), 6
        if kind == "norm":
            return nn.BatchNorm2d(width), width
        if kind == "sum":
            return nn.Conv2d(widths[second], width, 1), width
        left = {"joined": width + widths[second], "half": (width + 1) // 2}
        kinds = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "pool": lambda: nn.MaxPool2d(3, 1, 1)}
        return kinds.get(kind, nn.Identity)(), left.get(kind, width)

    def forward(self, x):
        made = [x]
        for (kind, first, second), layer in zip(self.steps, self.layers, strict=True):
            one, other = made[first % len(made)], made[second % len(made)]
            if kind == "sum":
                made.append(one + layer(other))
            elif kind == "joined":
                made.append(torch.cat([one, other], dim=1))
            elif kind == "half":
                made.append(one.chunk(2, dim=1)[0])
            elif kind == "shuffled":
                made.append(one.unflatten(1, (-1, 2)).transpose(1, 2).flatten(1, 2) if one.shape[1] % 2 == 0 else one)
            else:
                made.append(layer(one))
        out = made[-1]
        return self.head(out.flatten(1) if self.flat else out.mean((2, 3)))


KINDS = [
    "conv",
    "padded",
    "strided",
    "depthwise",
    "grouped",
    "norm",
    "sum",
    "joined",
    "half",
    "shuffled",
    "relu",
    "sigmoid",
    "pool",
]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    steps=STEPS,
    seed=st.integers(0, 999),
    flat=st.booleans(),
    weights_only=st.booleans(),
    share=st.sampled_from([0.3, 0.7]),
)
def test_random_graphs(steps, seed, flat, weights_only, share):
    """Sums, concatenations, splits, depthwise, groups, padded borders, dead units with biases: in float64, any size."""
    steps = [("padded", 0, 0), *((kind, first + 1, second) for kind, first, second in steps)]
    model, x = Graph(steps, seed, flat), torch.randn(3, 2, 5, 5)
    mask_units(model, x, share, weights_only, seed)
    draws = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():  # and single weights
        parameter.data[torch.rand(parameter.shape, generator=draws) < 0.2] = 0
    if not removable(model, x[:1]).groups:
        return
    small = shrink_network(model, x, vanishing="keep-one", stuck="keep")
    assert same_outputs(model, small.model, x, atol=1e-5)
    if not flat:
        assert same_outputs(model, small.model, torch.randn(2, 2, 9, 7), atol=1e-5)


def test_filters_that_sum_to_zero_survive():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, -1.0], [0.0, 0.0], [2.0, 1.0]]))
        model[0].bias.copy_(torch.tensor([0.0, 3.0, 0.0]))
        model[2].weight.fill_(0.5)
        model[2].bias.zero_()
    small = shrink_network(model, torch.randn(5, 2))
    assert small.units == {"0": (3, 2)}
    assert small.model[0].weight.tolist() == [[1.0, -1.0], [2.0, 1.0]]
    assert small.model[2].bias.tolist() == [1.5]  # 0.5 relu(3)


def test_one_constant_stays_where_padding_ends_it():
    """c = (relu 2, relu 3, relu 0) at a padded convolution: the largest takes in the other, by 2/3 of its weights."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1), nn.Flatten(), nn.Linear(32, 2))
    model[0].weight.data[:3] = 0
    model[0].bias.data = torch.tensor([2.0, 3.0, 0.0, 0.1])
    before = model[2].weight.detach().clone()
    x = torch.randn(4, 1, 4, 4)
    small = shrink_network(model, x)
    assert small.units["0"] == (4, 2)
    assert small.staying == {"0": 1}
    assert torch.allclose(small.model[2].weight[:, 0], before[:, 1] + 2 / 3 * before[:, 0])
    assert torch.equal(small.model[2].bias, model[2].bias)


def test_a_constant_goes_into_the_mean_of_the_norm_behind_a_layer_without_a_bias():
    model = nn.Sequential(
        nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2, bias=False), nn.BatchNorm1d(2), nn.Linear(2, 1)
    ).eval()
    model[0].weight.data[0] = 0
    small = shrink_network(model, torch.randn(4, 2))
    assert small.units["0"] == (2, 1)
    assert small.model[2].bias is None
    shift = model[2].weight[:, 0] * torch.sigmoid(model[0].bias[0])
    assert torch.allclose(small.model[3].running_mean, -shift, atol=1e-6)


def test_a_layer_that_has_no_bias_gets_one_for_a_constant():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 2, bias=False))
    model[0].weight.data[0] = 0
    small = shrink_network(model, torch.randn(4, 2))
    assert small.manifest.biases == ("2",)
    anew = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 2, bias=False))
    apply_shrunk(anew, {"shrunk": [small.manifest.plain()]}).load_state_dict(small.model.state_dict())
    assert same_outputs(model, anew, torch.randn(5, 2), atol=1e-6)


def test_what_nobody_reads_goes_step_by_step():
    """A unit of the last layer that is read by nothing takes with it what only it read."""
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    model[4].weight.data[:, 0] = 0
    model[2].weight.data[1:, 2] = 0
    small = shrink_network(model, torch.randn(5, 3))
    assert small.units == {"0": (4, 3), "2": (4, 3)}


def test_masks_are_made_narrower():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    mask = torch.ones(4, 3, dtype=torch.bool)
    mask[0], mask[1, 2] = False, False
    model[0].weight.data[~mask], model[0].bias.data[0] = 0, 0
    small = shrink_network(model, torch.randn(5, 3), {"0.weight": mask, "2.weight": torch.ones(2, 4, dtype=torch.bool)})
    assert small.masks["0.weight"].tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert list(small.masks) == ["0.weight"]


def test_an_unstructured_mask_removes_nothing():
    model, x = built("lenet5"), torch.randn(5, 1, 8, 8)
    draws = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if name.endswith("weight"):
            parameter.data[torch.rand(parameter.shape, generator=draws) < 0.5] = 0
    small = shrink_network(model, x)
    assert (small.removed, small.manifest.changes) == ({}, False)


def test_a_layer_about_to_vanish_is_refused():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    model[0].weight.data.zero_()
    with pytest.raises(BadInput, match=r"0: all of its 4 neurons can be removed.*\n.*--vanishing keep-one"):
        shrink_network(model, torch.randn(5, 3))
    assert shrink_network(model, torch.randn(5, 3), vanishing="keep-one").units == {"0": (4, 1)}


class Literal(nn.Module):
    """A size that stands in the code."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(144, 2)

    def forward(self, x):
        return self.fc(functional.relu(self.conv(x)).view(-1, 144))


def test_a_size_written_in_the_code_is_refused():
    model, x = Literal(), torch.randn(5, 1, 8, 8)
    model.conv.weight.data[0], model.conv.bias.data[0] = 0, 0
    with pytest.raises(BadInput, match=r"conv: the size 144 that view asks for .*--stuck keep"):
        shrink_network(model, x)
    kept = shrink_network(model, x, stuck="keep")
    assert kept.removed == {}
    assert "144" in kept.held["conv"]


class Recurrent(nn.Module):
    """What cannot be followed."""

    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


def test_a_network_that_cannot_be_followed_is_refused():
    with pytest.raises(BadInput, match=r"no unit of the network can be removed\.\nrnn: lstm in rnn is not understood"):
        shrink_network(Recurrent(), torch.randn(5, 6, 3))


class Doubling(torch.autograd.Function):
    """An operation that no interceptor sees."""

    @staticmethod
    def forward(_, x):
        return 2 * x


class Hidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(functional.relu(self.second(Doubling.apply(self.first(x)))))


def test_what_nobody_saw_made_may_depend_on_the_input():
    model = Hidden()
    assert not readings(model.double(), torch.randn(1, 3).double())["second.weight"][0].constant.any()


def test_outputs_that_differ_are_not_written():
    class Noisy(nn.Sequential):
        def forward(self, x):
            return super().forward(x) + torch.rand(())

    model = Noisy(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(BadInput, match=r"returns something else: outputs differ by .* nothing is written"):
        shrink_network(model, torch.randn(5, 3))


def test_a_damaged_manifest_is_refused():
    model = nn.Sequential(nn.Linear(3, 4))
    for entry, said in [
        ({"tensors": [{"kept": "0", "of": [["0.weight", 0]]}]}, "nothing is kept"),
        ({"tensors": [{"kept": "ff", "of": [["0.weight", 0]]}]}, "place 7 of axis 0 is kept"),
        ({"tensors": [{"kept": "3", "of": [["1.weight", 0]]}]}, "it has no 1.weight"),
        ({"attributes": {"0": {"forward": 3}}}, "0 has no size forward"),
        ({"attributes": {"0": {"__class__": 3}}}, "is no name"),
        ({"code": "x"}, "expected the entries"),
    ]:
        with pytest.raises(BadInput, match=said):
            apply_shrunk(model, {"shrunk": [entry]})


def test_the_kept_units_are_the_wide_network_s():
    """What a manifest keeps of each tensor is where the units were, so that earlier weights can be made narrower."""
    model, x = built("lenet300"), torch.randn(5, 1, 8, 8)
    mask_units(model, x)
    kept = shrink_network(model, x).manifest.tensors["fc1.weight"][0]
    alive = np.flatnonzero((model.fc1.weight != 0).any(1).numpy())
    assert list(kept) == alive.tolist()


def test_norms_are_folded_where_units_were_removed_with_their_norms():
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)).eval()
    x, y = torch.randn(8, 1, 6, 6), torch.arange(8) % 3
    pruned = prune(model, (x, y), method="filters", sparsity=0.5)
    assert any(name.startswith("1.") for name in pruned.masks)
    small = shrink_network(pruned.model, x, masks=pruned.masks, fold_batch_norm=True)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in small.model.modules())
    torch.testing.assert_close(small.model(x), pruned.model(x), rtol=1e-4, atol=1e-5)


def test_a_grouped_convolution_left_with_one_channel_in_each_group():
    model = nn.Sequential(
        nn.Conv2d(1, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=4), nn.ReLU(), nn.Flatten(), nn.Linear(128, 3)
    )
    with torch.no_grad():
        for channel in (1, 3, 5, 7):
            model[0].weight[channel] = model[0].bias[channel] = 0
    x = torch.randn(4, 1, 6, 6)
    small = shrink_network(model.eval(), x)
    assert small.model[2].weight.shape == (8, 1, 3, 3)
    assert small.model[2].groups == 4
    torch.testing.assert_close(small.model(x), model(x), rtol=1e-4, atol=1e-5)
