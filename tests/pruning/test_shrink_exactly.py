"""What a smaller network could silently get wrong: it is exact, or units stay, or it is refused by name."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn import functional

from minima.store.command import BadInput
from minima.zoo.anatomy.narrowing.narrow import apply_shrunk
from pruning import shrink_network

CONSTANTS = torch.tensor([0.5, 1.0, 2.0])


class Net(nn.Module):
    """Two layers; three units of the first are constants. What happens between them is given."""

    def __init__(self, code, first=None, biases=CONSTANTS):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.code = first or nn.Linear(3, 8), nn.Linear(8, 4), code
        self.first.weight.data[:3], self.first.bias.data[:3] = 0, biases

    def forward(self, *inputs):
        return self.code(self, functional.relu(self.first(inputs[0])), *inputs)


class Raw(Net):
    """All of the code is given."""

    def forward(self, x):
        return self.code(self, x)


def plain(net, hidden, *_):
    return net.last(hidden)


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def same(one, other, x):
    with torch.no_grad():
        return torch.allclose(one(x), other(x), atol=1e-5)


@dataclass
class Out:
    logits: torch.Tensor
    more: torch.Tensor


class Plain:
    def __init__(self, logits):
        self.logits = logits


def by_width(net, hidden, *_):
    return net.last(hidden) * hidden.shape[1]


@pytest.mark.parametrize("wrapped", [lambda y: Out(y, y), Plain, lambda y: {"y": [Plain(y)]}])
def test_outputs_in_any_object_are_compared(wrapped):
    with pytest.raises(BadInput, match=r"outputs differ by .* for the examples"):
        shrink_network(Net(lambda *given: wrapped(by_width(*given))), draw(9, 3))


def test_what_an_object_holds_is_an_output():
    with pytest.raises(BadInput, match="first: the network's output"):
        shrink_network(Net(lambda net, hidden, _: Out(net.last(hidden), hidden)), draw(9, 3))


def test_outputs_without_a_tensor_are_refused():
    with pytest.raises(BadInput, match="returns a NoneType, in which there is no tensor"):
        shrink_network(Net(lambda net, hidden, _: (net.last(hidden), None)[1]), draw(9, 3))


@pytest.mark.parametrize("low", [-1e9, torch.finfo(torch.float32).min, -torch.inf, torch.nan])
def test_a_huge_output_hides_no_difference(low):
    def masked(code):
        return lambda net, hidden, x: code(net, hidden).masked_fill(x[:, :1] > 1.5 * torch.arange(4), low)

    x = draw(32, 3)
    with pytest.raises(BadInput, match="returns something else"):
        shrink_network(Net(masked(by_width)), x)
    assert shrink_network(Net(masked(plain)), x).removed == {"first": 3}


def convolution():
    return nn.Conv2d(3, 8, 3, padding=1)


def depthwise(net, hidden, _):
    return net.last(functional.relu(net.deep(hidden)).mean((2, 3)))


@pytest.mark.parametrize(
    ("code", "image"),
    [
        (depthwise, True),
        (lambda net, h, _: net.last(functional.avg_pool2d(h, 3, 1, 1).mean((2, 3))), True),
        (lambda net, h, _: net.last(h.sum((2, 3))), True),
        (lambda net, h, _: net.last(h.sum(1)), False),
        (lambda net, h, _: net.last(h / h.shape[1]), False),
        (lambda net, h, _: net.last(h / len(h)), False),
        (lambda net, h, _: net.last((h * torch.arange(h.shape[1], dtype=h.dtype)[:, None]).mean(1)), False),
    ],
)
def test_what_depends_on_the_size_is_no_constant(code, image):
    model = Net(code, convolution() if image else None)
    if code is depthwise:
        model.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
    small = shrink_network(model, draw(8, 3, 6, 6) if image else draw(8, 6, 3))
    for size in (4, 6, 9):
        assert same(model, small.model, draw(2, 3, size, size) if image else draw(2, size, 3))


def test_the_same_at_all_sizes_is_a_constant():
    model = Net(lambda net, hidden, _: net.last(hidden.mean((2, 3))), convolution())
    assert shrink_network(model, draw(8, 3, 6, 6)).removed == {"first": 3}


@pytest.mark.parametrize("view", [lambda h: h.unsqueeze(1), lambda h: h.flatten(1)[:, None], lambda h: h.data[:, None]])
def test_a_view_changed_in_place_changes_what_it_is_of(view):
    def code(net, hidden, x):
        seen = view(hidden)
        seen += torch.relu(x[:, :1] - 30)[:, None]
        return net.last(hidden)

    model, far = Net(code), draw(2, 3)
    far[0, 0] = 50
    assert same(model, shrink_network(model, draw(8, 3)).model, far)


def test_an_attribute_that_means_something_else_too():
    def limited(net, hidden, x):
        return net.last(hidden.view(-1, net.width)) * min(len(x), net.width) / len(x)

    def tokens(net, hidden, x):
        hidden = hidden[:, : net.width]
        return net.last(hidden.reshape(len(x), -1, net.width))

    for code, x, said in [(limited, draw(4, 3), "129 examples"), (tokens, draw(4, 1, 3), r"another size, \(9, 3\)")]:
        model = Net(code)
        model.width = 8
        with pytest.raises(BadInput, match=f"{said}.*perhaps of another meaning too: Net.width"):
            shrink_network(model, x)


@pytest.mark.parametrize(
    "code",
    [
        lambda net, h, x: net.last(h + max(0.0, x.max().item() - 30)),
        lambda net, h, x: net.last(h + 1 if x.max() > 30 else h),
        lambda net, h, x: net.last(h + float(x.max() > 30)),
        lambda net, h, _: net.last(h) + torch.from_numpy(h.detach().numpy().max(1, keepdims=True)),
        lambda net, h, _: net.last(h) + torch.tensor([max(row) for row in h.tolist()], dtype=h.dtype)[:, None],
    ],
)
def test_values_that_leave_torch(code):
    with pytest.raises(BadInput, match=r"Net: values that depend on the input leave torch there"):
        shrink_network(Net(code), draw(8, 3))


@pytest.mark.parametrize(
    "sized",
    [
        torch.nonzero,
        torch.argwhere,
        lambda hot: torch.where(hot)[0],
        lambda hot: torch.masked_select(hot, hot),
        lambda hot: hot[hot],
        lambda hot: hot[1:][:, None][hot[1:]],
        lambda hot: torch.unique(hot)[1:],
        lambda hot: hot.unique_consecutive()[1:],
        lambda hot: torch.bincount(hot.long())[1:],
        lambda hot: functional.one_hot(hot.long())[0, 1:],
        lambda hot: torch.ones(len(hot)).repeat_interleave(hot.long()),
        lambda hot: torch.repeat_interleave(hot.long()),
        lambda hot: torch.zeros(hot.sum()),
        lambda hot: torch.full((hot.sum(),), 1.0),
        lambda hot: torch.arange(hot.sum()),
        lambda hot: hot[: hot.sum()],
        lambda hot: hot.narrow(0, 0, hot.sum()),
        lambda hot: torch.ones(1).expand(hot.sum()),
    ],
)
def test_values_that_leave_torch_as_a_size(sized):
    """Only where there is any large input does the network read its hidden units once more."""

    def code(net, hidden, x):
        made = net.last(hidden)
        return made + hidden.sum(1, keepdim=True) if sized(x[:, 0] > 30).numel() else made

    far = draw(8, 3)
    assert torch.equal(Net(code)(far), Net(plain)(far))
    far[1:, 0] = 50
    assert not torch.equal(Net(code)(far), Net(plain)(far))
    with pytest.raises(BadInput, match=r"Net: values that depend on the input leave torch there"):
        shrink_network(Net(code), draw(8, 3))


def odd():
    return torch.arange(3) % 2 == 1


@pytest.mark.parametrize(
    "code",
    [
        lambda net, h, x: net.last(h) + x[:, odd()].sum(1, keepdim=True),
        lambda net, h, x: net.last(h) + x[:, odd().nonzero()[:, 0]].sum(1, keepdim=True),
        lambda net, h, x: net.last(h) + x[:, : odd().sum()].sum(1, keepdim=True),
        lambda net, h, x: net.last(h) + torch.where(x > 30, x, 0).sum(1, keepdim=True),
        lambda net, h, x: net.last(h) + x[x[:, 0].argsort()].sum(1, keepdim=True),
        lambda net, h, x: net.last(h) + x.repeat_interleave(torch.arange(3), 1).sum(1, keepdim=True),
    ],
)
def test_sizes_that_do_not_depend_on_the_input_are_fine(code):
    model, x = Net(code), draw(8, 3)
    small = shrink_network(model, x)
    assert small.removed == {"first": 3}
    assert same(model, small.model, x)


def test_transformers_may_look_at_masks():
    class Masked(Net):
        def forward(self, x, mask):
            hidden = functional.relu(self.first(x))
            return self.last(hidden if mask.all() else hidden * mask)

    given = draw(8, 3), torch.ones(8, 1, dtype=torch.bool)
    with pytest.raises(BadInput, match=r"Masked: values .* leave torch there \(bool\)"):
        shrink_network(Masked(None), given)
    Masked.__module__ = "transformers.models"
    assert shrink_network(Masked(None), given).removed == {"first": 3}


def test_numbers_that_do_not_depend_on_the_input_may_leave():
    code = lambda net, h, _: net.last(h + float(torch.arange(3).sum()))  # noqa: E731
    assert shrink_network(Net(code), draw(8, 3)).removed == {"first": 3}


class Attention(nn.Module):
    """Two of four heads give constants; a mask may hide all from a row."""

    def __init__(self, masked):
        super().__init__()
        torch.manual_seed(0)
        self.out = nn.Linear(8, 4)
        self.q, self.k, self.v = (nn.Linear(4, 8) for _ in range(3))
        self.heads, self.masked = 4, masked
        self.v.weight.data[:4], self.v.bias.data[:4] = 0, torch.tensor([0.5, 1.0, 2.0, 0.3])

    def forward(self, x):
        examples, length, _ = x.shape
        q, k, v = (each(x).view(examples, length, self.heads, -1).transpose(1, 2) for each in (self.q, self.k, self.v))
        mask = (x[..., 0] < 9)[:, None, None].expand(-1, 1, length, -1) if self.masked else None
        return self.out(functional.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2))


@pytest.mark.parametrize("masked", [False, True])
def test_rows_that_see_nothing(masked):
    model, x = Attention(masked), draw(9, 5, 4)
    small = shrink_network(model, x)
    assert sum(small.removed.values()) == (0 if masked else 2)
    x[0, :, 0] = 10
    assert same(model, small.model, x)


class Shares(nn.Module):
    """Attention written out, whose first head gives constants; `code` does something to its shares."""

    def __init__(self, code):
        super().__init__()
        torch.manual_seed(0)
        self.q, self.k, self.v, self.out, self.code = *(nn.Linear(4, 8) for _ in range(3)), nn.Linear(8, 4), code
        self.v.weight.data[:4] = 0

    def forward(self, x):
        q, k, v = (each(x).unflatten(2, (-1, 4)).transpose(1, 2) for each in (self.q, self.k, self.v))
        shares = self.code(torch.softmax(q @ k.transpose(2, 3), -1), x)
        return self.out((shares @ v).transpose(1, 2).flatten(2))


def seen(x):
    return (x[..., 0] < 30).to(x.dtype)[:, None, None]


def by_a_view(shares, x):
    shares[..., :1].mul_(seen(x)[..., :1])
    return shares


@pytest.mark.parametrize(
    "code", [lambda shares, x: shares.mul_(seen(x)), by_a_view, lambda a, _: a.to(torch.int64).to(a.dtype)]
)
def test_shares_that_were_written_to_sum_to_one_no_more(code):
    model, x = Shares(code), draw(9, 5, 4)
    small = shrink_network(model, x)
    x[0, 0, 0] = 50
    assert same(model, small.model, x)
    assert small.removed == {}
    assert sum(shrink_network(Shares(lambda shares, _: shares), x).removed.values()) == 1


class Branching(nn.Module):
    def __init__(self, second):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.aux, self.second = nn.Conv2d(3, 8, 3), nn.Linear(8, 4), nn.Linear(8, 2), second
        self.first.weight.data[:3], self.first.bias.data[:3] = 0, 0

    def forward(self, x):
        hidden = functional.relu(self.first(x)).mean((2, 3))
        return (self.last(hidden), self.aux(hidden)) if self.second(self, x) else self.last(hidden)


def test_layers_of_other_branches():
    x = draw(8, 3, 6, 6)
    with pytest.raises(BadInput, match=r"in train mode .* would not run .*aux: not used in eval mode"):
        shrink_network(Branching(lambda net, _: net.training), x)
    with pytest.raises(BadInput, match=r"inputs of another size, \(3, 13, 13\)"):
        shrink_network(Branching(lambda _, x: x.shape[-1] > 9), x)
    small = shrink_network(Branching(lambda *_: False), x)
    assert small.removed == {"first": 3}
    assert small.notes == ("not used in eval mode, and not followed: aux",)


def test_what_only_train_mode_returns():
    code = lambda net, hidden, _: (net.last(hidden), hidden) if net.training else net.last(hidden)  # noqa: E731
    with pytest.raises(BadInput, match=r"in train mode .* outputs of another shape"):
        shrink_network(Net(code), draw(8, 3))


def test_a_module_of_any_name_is_found_again():
    def made():
        model = nn.Sequential()
        model.add_module("__a", nn.Linear(3, 8))
        model.add_module("b", nn.ReLU())
        model.add_module("__class", nn.Linear(8, 2))
        model.get_submodule("__a").weight.data[:3] = 0
        return model

    small = shrink_network(made(), draw(8, 3))
    assert small.removed == {"__a": 3}
    apply_shrunk(made(), {"shrunk": [small.manifest.plain()]}).load_state_dict(small.model.state_dict())


@pytest.mark.parametrize(
    "code",
    [
        lambda net, h: net.last(h) + torch.zeros(4) @ torch.eye(4),
        lambda net, h: net.last(h) + torch.zeros(4) @ torch.arange(16).view(4, 4).float(),
        lambda net, h: net.last(h.to(torch.float32)),
    ],
)
@pytest.mark.parametrize("integers", [False, True])
def test_code_that_makes_float32_itself(code, integers):
    def scaled(net, x):
        return code(net, functional.relu(net.first(x / 255 if integers else x)))

    model = Raw(scaled)
    x = torch.randint(0, 255, (8, 3), dtype=torch.uint8) if integers else draw(8, 3)
    assert shrink_network(model, x).removed == {"first": 3}


def test_several_inputs():
    code = lambda net, hidden, _, scale: net.last(hidden) * scale  # noqa: E731
    assert shrink_network(Net(code), (draw(8, 3), draw(8, 1))).removed == {"first": 3}


def test_what_is_no_input_of_the_function():
    x = draw(8, 3)
    for given, said in [
        ({"masks": {"q": torch.ones(8, 3)}}, "no parameter q"),
        ({"masks": {"first.weight": torch.ones(3, 8)}}, r"first.weight has shape \(8, 3\), its mask \(3, 8\)"),
        ({"vanishing": "keep"}, "vanishing 'keep': expected 'refuse' or 'keep-one'"),
        ({"stuck": "x"}, "stuck 'x': expected 'refuse' or 'keep'"),
    ]:
        with pytest.raises(BadInput, match=said):
            shrink_network(Net(plain), x, **given)
    for inputs, said in [
        (None, "found a NoneType"),
        (x[:0], "at least one example"),
        (draw(8, 5), "does not run on 1"),
    ]:
        with pytest.raises(BadInput, match=said):
            shrink_network(Net(plain), inputs)
    with pytest.raises(BadInput, match=r"does not run .*: 'Net' object has no attribute 'nothing'"):
        shrink_network(Net(lambda net, *_: net.nothing), x)


def test_networks_that_cannot_be_copied():
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    x = draw(8, 3)
    model.seen = model(x)
    with pytest.raises(BadInput, match="the network cannot be copied: Only Tensors created"):
        shrink_network(model, x)


def test_constants_that_nothing_can_take_in_stay():
    class Own(nn.Module):
        def __init__(self, shape):
            super().__init__()
            self.first, self.weight = nn.Conv2d(3, 8, 1), nn.Parameter(draw(4, 8, 1, 1))
            self.bias = nn.Parameter(draw(*shape)) if shape else None
            self.first.weight.data[:3], self.first.bias.data[:3] = 0, CONSTANTS

        def forward(self, x):
            made = functional.conv2d(functional.relu(self.first(x)), self.weight)
            return made if self.bias is None else made + self.bias

    for shape in (None, (1, 4, 1, 1)):
        assert shrink_network(Own(shape), draw(8, 3, 4, 4)).removed == {}


@pytest.mark.parametrize(
    "code",
    [
        lambda net, h, _: functional.linear(h, net.last.weight) + 2 * net.last.bias,
        lambda net, h, _: net.last(h) * net.last.bias,
    ],
)
def test_a_bias_that_is_used_otherwise_takes_no_constant(code):
    model, x = Net(code), draw(8, 3)
    small = shrink_network(model, x)
    assert same(model, small.model, x)
    assert small.removed == {}


def test_draws_are_said_to_be_what_they_are():
    with pytest.raises(BadInput, match="The network itself returns something else each time"):
        shrink_network(Net(lambda net, hidden, _: net.last(hidden) + torch.rand(())), draw(8, 3))


def test_a_parameter_of_the_network_itself_has_its_class_s_name():
    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.last = nn.Parameter(draw(8, 3)), nn.Linear(8, 2)
            self.weight.data[:3] = 0

        def forward(self, x):
            return self.last(functional.relu(functional.linear(x, self.weight)))

    assert shrink_network(Root(), draw(8, 3)).removed == {"Root": 3}
