"""Reachable weights: against every path of tiny networks, walked one by one, and against what networks compute."""

import copy

import pytest
import torch
from oracles.paths import convolution, linear, walked
from torch import nn

from minima.store.command import BadInput
from minima.zoo.anatomy.paths.reachability import carries, reach
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.architecture.architecture import build, describe, parse_architecture


class Residual(nn.Module):
    """Convolution, batch norm, max pooling, a residual sum around a convolution applied twice, a linear layer."""

    def __init__(self):
        super().__init__()
        self.first, self.again = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.norm, self.pool = nn.BatchNorm2d(2), nn.MaxPool2d(2, stride=1)
        self.last = nn.Linear(8, 2)

    def forward(self, x):
        x = self.pool(torch.relu(self.norm(self.first(x))))  # (N, 2, 2, 2)
        x += torch.sigmoid(self.again(torch.tanh(self.again(x))))
        return self.last(x.flatten(1))


def residual_edges():
    """The graph of `Residual` on 3 x 3 pixels."""
    pixels = [(channel, y, x) for channel in range(2) for y in range(2) for x in range(2)]
    edges = list(convolution("first.weight", "a", "in", (2, 1), 3, 1))
    edges += [(("a", c, y + i, x + j), ("b", c, y, x), None) for c, y, x in pixels for i in (0, 1) for j in (0, 1)]
    edges += convolution("again.weight", "c", "b", (2, 2), 2, 1)
    edges += convolution("again.weight", "d", "c", (2, 2), 2, 1)
    edges += [((source, *pixel), ("e", *pixel), None) for pixel in pixels for source in ("b", "d")]
    return edges + list(linear("last.weight", [("e", *pixel) for pixel in pixels], [("out", 0), ("out", 1)]))


def perceptron_edges():
    sizes = [("in", 3), ("a", 4), ("b", 4), ("out", 2)]
    nodes = [[(name, unit) for unit in range(size)] for name, size in sizes]
    return [edge for n in range(3) for edge in linear(f"{2 * n}.weight", nodes[n], nodes[n + 1])]


def perceptron():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))


NETWORKS = {
    "perceptron": (perceptron, perceptron_edges, (3,), 0.4),
    "residual": (Residual, residual_edges, (1, 3, 3), 0.15),
}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_on_a_path_are_those_found_by_walking_every_path(name, seed):
    make, edges, shape, density = NETWORKS[name]
    edges, model = edges(), make()
    generator = torch.Generator().manual_seed(seed)
    masks = {key: torch.rand(w.shape, generator=generator) < density for key, w in prunable(model).items()}
    kept = {(key, tuple(index)) for key, mask in masks.items() for index in mask.nonzero().tolist()}
    nodes = {node for source, target, _ in edges for node in (source, target)}
    used, seen = walked(edges, kept, {n for n in nodes if n[0] == "in"}, {n for n in nodes if n[0] == "out"})
    found = {layer.name: layer for layer in reach(model, shape, masks)}
    ours = {(key, tuple(i)) for key, layer in found.items() for i in layer.reachable.nonzero().tolist()}
    assert ours == used
    if name == "perceptron":
        for key, made in (("0.weight", "a"), ("2.weight", "b")):
            on_path = (found[key].fed & found[key].read).nonzero().flatten().tolist()
            assert {(made, unit) for unit in on_path} == {node for node in seen if node[0] == made}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_carries_exactly_where_a_walk_from_input_to_output_is_found(name, seed):
    make, edges, shape, density = NETWORKS[name]
    edges, model = edges(), make()
    generator = torch.Generator().manual_seed(seed)
    masks = {key: torch.rand(w.shape, generator=generator) < density / 2 for key, w in prunable(model).items()}
    kept = {(key, tuple(index)) for key, mask in masks.items() for index in mask.nonzero().tolist()}
    nodes = {node for source, target, _ in edges for node in (source, target)}
    _, seen = walked(edges, kept, {n for n in nodes if n[0] == "in"}, {n for n in nodes if n[0] == "out"})
    assert carries(model, shape, masks) == bool(seen)


class Several(nn.Module):
    """Two heads, returned in a structure, and a layer whose result is not."""

    def __init__(self, form):
        super().__init__()
        self.body, self.form = nn.Linear(3, 4), form
        self.one, self.two, self.dropped = nn.Linear(4, 2), nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x):
        x = torch.relu(self.body(x))
        self.dropped(x)
        return self.form(self.one(x), self.two(x))


@pytest.mark.parametrize("form", [lambda *both: both, lambda a, b: {"logits": a, "hidden": [b]}])
def test_a_path_ends_at_any_tensor_that_is_returned(form):
    masks = {"one.weight": torch.tensor([[1, 0, 0, 0], [0, 0, 0, 0]]) > 0}
    masks["two.weight"] = torch.tensor([[0, 0, 0, 0], [0, 1, 0, 0]]) > 0
    body, one, two, dropped = (layer.reachable for layer in reach(Several(form), (3,), masks))
    assert body.tolist() == [[True] * 3, [True] * 3, [False] * 3, [False] * 3]
    assert torch.equal(one, masks["one.weight"])
    assert torch.equal(two, masks["two.weight"])
    assert not dropped.any()


def test_what_returns_no_tensor_that_can_be_found_is_refused():
    with pytest.raises(BadInput, match="returns a Box in which no tensor"):
        reach(Several(lambda a, b: type("Box", (), {"both": (a, b)})()), (3,), {})


def test_what_is_on_no_path_changes_nothing_without_biases():
    """A convolutional network with residual sums and zero biases: its outputs stay when unreachable weights go."""
    torch.manual_seed(0)
    model = build(describe(parse_architecture("resnet20:width=4"), (1, 8, 8), 10)).eval()
    masks = {name: torch.rand(w.shape) < 0.1 for name, w in prunable(model).items()}
    found = reach(model, (1, 8, 8), masks)
    assert 0 < sum(layer.reachable.sum() for layer in found) < sum(layer.mask.sum() for layer in found)
    outputs, x = [], torch.rand(5, 1, 8, 8)
    for which in ("mask", "reachable"):
        pruned = copy.deepcopy(model)
        with torch.no_grad():
            for layer in found:
                pruned.get_parameter(layer.name).mul_(getattr(layer, which))
            outputs.append(pruned(x))
    assert torch.equal(*outputs)


def test_dense_networks_of_the_zoo_are_reachable_but_for_what_meets_padding_only():
    for spec in ("lenet5", "mobilenet", "vit:depth=2", "resnet20:width=4"):
        found = reach(build(describe(parse_architecture(spec), (1, 8, 8), 10)), (1, 8, 8), {})
        assert all(layer.reachable.all() and layer.fed.all() and layer.read.all() for layer in found), spec
    vgg = reach(build(describe(parse_architecture("vgg16:width=4"), (1, 8, 8), 10)), (1, 8, 8), {})
    on_one_pixel = next(layer for layer in vgg if layer.name == "conv5_1.weight")
    centre = torch.zeros(3, 3, dtype=torch.bool)
    centre[1, 1] = True
    assert torch.equal(on_one_pixel.reachable, centre.expand_as(on_one_pixel.mask))


def test_a_hundred_thin_layers_neither_overflow_nor_vanish():
    wide = nn.Sequential(*(layer for _ in range(100) for layer in (nn.Linear(64, 64), nn.ReLU())))
    assert all(layer.reachable.all() for layer in reach(wide, (64,), {}))
    one = torch.zeros(64, 64, dtype=torch.bool)
    one[3, 3] = True
    assert all(layer.reachable.sum() == 1 for layer in reach(wide, (64,), {f"{2 * n}.weight": one for n in range(100)}))


def test_attention_without_values_carries_nothing_and_its_mask_ends_the_scores():
    model = build(describe(parse_architecture("vit:depth=1"), (1, 8, 8), 10))
    name, dim = "blocks.0.attention.qkv.weight", model.norm.weight.numel()
    cut = torch.ones(3 * dim, dim, dtype=torch.bool)
    cut[:dim] = False  # no queries
    found = {layer.name: layer for layer in reach(model, (1, 8, 8), {name: cut})}
    assert not found[name].fed[:dim].any()
    assert found[name].fed[dim:].all()
    closed = torch.zeros_like(model.blocks[0].attention.out.weight, dtype=torch.bool)
    found = {layer.name: layer for layer in reach(model, (1, 8, 8), {"blocks.0.attention.out.weight": closed})}
    assert not found[name].reachable.any()  # nobody reads the block, and the residual stream goes on without it
    assert found["blocks.0.fc1.weight"].reachable.all()


class Pointwise(nn.Module):
    """An operation entry by entry between two layers."""

    def __init__(self, code):
        super().__init__()
        self.first, self.second, self.last, self.code = nn.Linear(2, 3), nn.Linear(2, 3), nn.Linear(3, 1), code

    def forward(self, x):
        return self.last(self.code(self.first(x), self.second(x)))


@pytest.mark.parametrize(
    "code",
    [
        lambda x, _: -2 * x,
        lambda x, _: x / -2,
        lambda x, _: 1 / x,
        lambda x, _: 1 - x,
        lambda x, _: 2**x,
        lambda x, _: torch.pow(2, x),
        lambda x, y: x / y,
        lambda x, y: x**y,
        lambda x, y: x - y,
    ],
)
def test_paths_are_where_gradients_are_whatever_order_operands_come_in(code):
    torch.manual_seed(0)
    net = Pointwise(code).double()
    masks = {"first.weight": torch.tensor([[1, 0], [0, 0], [1, 1]]).bool()}
    found = {layer.name: layer.reachable for layer in reach(net, (2,), masks)}
    with torch.no_grad():
        net.first.weight *= masks["first.weight"]
        for layer in (net.first, net.second):
            layer.weight.abs_(), layer.bias.fill_(0.1)
    net(torch.rand(5, 2, dtype=torch.float64)).sum().backward()
    for name in ("first", "second"):
        gradient = getattr(net, name).weight.grad
        there = torch.zeros(3, 2) if gradient is None else gradient != 0
        assert torch.equal(found[f"{name}.weight"], there.bool() & masks.get(f"{name}.weight", torch.tensor(True)))


def test_the_model_is_left_as_it_was():
    model = Residual().train()
    state, modes = copy.deepcopy(model.state_dict()), [module.training for module in model.modules()]
    random_state = torch.get_rng_state()
    reach(model, (1, 3, 3), {})
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in state.items())
    assert modes == [module.training for module in model.modules()]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(random_state, torch.get_rng_state())


def test_an_operation_that_is_not_understood_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.only = nn.Linear(4, 4)

        def forward(self, x):
            return torch.fft.rfft(self.only(x)).abs()

    with pytest.raises(BadInput, match="fft"):
        reach(Odd(), (4,), {})


def test_a_factor_of_zero_in_a_norm_ends_a_path():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    with torch.no_grad():
        model[1].weight[1] = 0
    first, second = reach(model, (2,), {})
    assert first.reachable.tolist() == [[True, True], [False, False], [True, True]]
    assert second.reachable.tolist() == [[True, False, True]]


def _halves_swapped(h, z):
    new = h.new_zeros(h.shape)
    new[:, :2], new[:, 2:] = z[:, 2:], h[:, :2]
    return new


def _statement(write):
    def join(h, z):
        write(h, z)
        return h

    return join


def _slice_added(h, z):
    h[:, :2] += z[:, :2]
    return h


def _viewed(h, z):
    h = h.view(-1, 4)
    h.mul_(z.sigmoid())
    return h


IN_PLACE = {
    "add_": _statement(lambda h, z: h.add_(z)),
    "sub_, alpha": _statement(lambda h, z: h.sub_(z, alpha=2)),
    "mul_": _statement(lambda h, z: h.mul_(z.sigmoid())),
    "out=": _statement(lambda h, z: torch.add(h.clone(), z, out=h)),
    "twice": _statement(lambda h, z: (h.tanh_(), h.add_(z), h.mul_(h.sigmoid()))),
    "what relu_ returned": _statement(lambda h, z: h.tanh_().add_(z)),
    "inplace=True": _statement(lambda h, z: nn.functional.leaky_relu(h, 0.1, True).add_(z)),
    "setitem": _statement(lambda h, z: h.__setitem__((slice(None), slice(2)), z[:, :2])),
    "a constant set": _statement(lambda h, _: h.__setitem__((slice(None), 0), 3.0)),
    "masked_fill_": _statement(lambda h, _: h.masked_fill_(torch.tensor([True, False, False, False]), 3.0)),
    "halves": _halves_swapped,
    "a slice added to": _slice_added,
    "a view": _viewed,
    "a constant added to": lambda h, z: _statement(lambda c, z: c.add_(z))(torch.zeros(len(h), 4, dtype=h.dtype), z),
}


class Joined(nn.Module):
    """Two layers whose results a function joins, and one that reads it."""

    def __init__(self, join):
        super().__init__()
        self.a, self.b, self.o = nn.Linear(3, 4, False), nn.Linear(3, 4, False), nn.Linear(4, 2, False)
        self.join = join

    def forward(self, x):
        return self.o(self.join(self.a(x), self.b(x)))


@pytest.mark.parametrize("way", IN_PLACE)
def test_what_is_written_in_place_is_on_a_path_where_a_change_of_the_weight_changes_the_output(way):
    torch.manual_seed(0)
    model = Joined(IN_PLACE[way]).double()
    masks = {"a.weight": torch.zeros(4, 3, dtype=torch.bool), "b.weight": torch.rand(4, 3) < 0.4}
    masks["a.weight"][:, 0] = True
    found = {layer.name: layer.reachable for layer in reach(model, (3,), masks)}
    x = torch.randn(20, 3, dtype=torch.float64)
    with torch.no_grad():
        for name, mask in masks.items():
            model.get_parameter(name).mul_(mask)
        before = model(x)
        for name, weight in model.named_parameters():
            for index in masks.get(name, torch.ones_like(weight)).nonzero().tolist():
                place = tuple(index)
                constant = name == "o.weight" and place[1] == 0 and way in ("a constant set", "masked_fill_")
                weight[place] += 0.5
                assert found[name][place] == (not constant and not torch.equal(model(x), before)), (name, place)
                weight[place] -= 0.5
            assert not (found[name] & ~masks.get(name, found[name])).any()


def _both_read(h, z):
    half = h[:, :2]
    half.add_(z[:, :2])
    return torch.cat([half, h[:, 2:]], 1)


def _constant_by_a_view(h, z):
    new = torch.zeros(len(h), 4, dtype=h.dtype)
    new[:, :2].add_(z[:, :2])
    return new


@pytest.mark.parametrize("join", [_both_read, _constant_by_a_view])
def test_what_is_written_by_way_of_another_tensor_is_refused_where_it_is_read(join):
    with pytest.raises(BadInput, match=r"writes in place \(add\).*h = h \+ z"):
        reach(Joined(join), (3,), {})


def test_what_padding_puts_beside_a_signal_is_a_constant():
    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.o = nn.Linear(2, 2, False), nn.Linear(3, 1, False)

        def forward(self, x):
            return self.o(nn.functional.pad(self.a(x), (1, 0), value=2.0))

    last = reach(Padded(), (2,), {})[1]
    assert last.reachable.tolist() == [[False, True, True]]
