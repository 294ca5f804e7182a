"""Layers that go: linear ones with nothing between them merged, static units and idle rectifiers, by data or bounds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from minima.store.command import BadInput
from minima.zoo.anatomy.narrowing.manifest import parse_manifest
from minima.zoo.anatomy.narrowing.merging import merge
from minima.zoo.anatomy.narrowing.narrow import apply_shrunk
from minima.zoo.architecture.architecture import parse_architecture
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from pruning import shrink_network
from pruning.shrink.given import bounds_of
from pruning.shrink.static.bounds import Bounds, _Bounding, within
from pruning.shrink.static.examples import on_examples


@settings(max_examples=25, deadline=None)
@given(
    axes=st.integers(1, 2),
    kernels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    padding=st.integers(0, 2),
    biases=st.tuples(st.booleans(), st.booleans()),
    size=st.integers(12, 15),
)
def test_two_convolutions_become_one_exactly(axes, kernels, strides, padding, biases, size):
    torch.manual_seed(0)
    kind = (nn.Conv1d, nn.Conv2d)[axes - 1]
    first = kind(2, 3, kernels[0], stride=strides[0], padding=padding, bias=biases[0])
    net = nn.Sequential(first, kind(3, 2, kernels[1], stride=strides[1], bias=biases[1])).double()
    x = torch.randn(2, 2, *[size] * axes, dtype=torch.float64)
    expected = net(x)
    assert merge(net, "0", "1") == ""
    assert isinstance(net[1], nn.Identity)
    assert torch.allclose(net(x), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ((nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3, padding=1)), "puts zeros beside its input"),
        ((nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 1, groups=2)), "in groups"),
        ((nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), nn.Conv2d(2, 2, 1)), "pads its input in another way"),
        ((nn.Linear(2, 3), nn.Conv1d(3, 2, 1)), "is a Linear and 1 a Conv1d"),
        ((nn.Linear(2, 3), nn.ReLU()), "no linear layer"),
    ],
)
def test_what_cannot_be_merged_is_said_and_left_alone(layers, why):
    net = nn.Sequential(*layers)
    assert why in merge(net, "0", "1")
    assert net[1] is layers[1]


def test_an_identity_where_a_rectifier_was_lets_its_neighbours_merge():
    torch.manual_seed(0)
    net, x = parse_architecture("mlp").build((1, 8, 8), 10), torch.rand(16, 1, 8, 8)
    net.relu1 = nn.Identity()
    small = shrink_network(net, x)
    assert small.manifest.merged == (("fc1", "fc2"),)
    assert small.after.parameters == 65 * 32 + 33 * 10
    wide = parse_architecture("mlp").build((1, 8, 8), 10)
    wide.relu1 = nn.Identity()
    anew = apply_shrunk(wide, {"shrunk": [small.manifest.plain()]})
    anew.load_state_dict(small.model.state_dict())
    assert torch.allclose(anew(x), net(x), atol=1e-6)
    assert parse_manifest(small.manifest.plain()) == small.manifest
    assert shrink_network(net, x, merge="none").manifest.merged == ()


def test_a_merger_that_makes_the_network_larger_is_left_until_it_is_asked_for():
    net, x = (
        nn.Sequential(nn.Linear(40, 2), nn.Identity(), nn.Linear(2, 40), nn.ReLU(), nn.Linear(40, 3)),
        torch.rand(4, 40),
    )
    assert shrink_network(net, x).manifest.merged == ()
    assert shrink_network(net, x, merge="all").manifest.merged == (("0", "2"),)


@pytest.mark.parametrize("inplace", [False, True])
def test_by_data_units_that_are_off_go_and_rectifiers_that_are_on_are_put_out(inplace):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(inplace), nn.Linear(6, 5), nn.ReLU(inplace), nn.Linear(5, 2))
    with torch.no_grad():
        net[0].bias.add_(torch.tensor([9.0, 9.0, 9.0, 9.0, -9.0, -9.0]))
    x, others = torch.rand(32, 3), 20 * torch.randn(64, 3)
    found = shrink_network(net, x, by_data=True, held_out=others)
    assert found.static["0"] == 2
    assert found.idle == ("1",)
    assert found.manifest.merged == (("0", "2"),)
    assert torch.allclose(found.model(x), net(x), atol=1e-5)
    assert found.guessed["examples"] <= 1e-10
    apart = (found.model(others) - net(others)).abs().max().item()
    assert found.guessed["held_out"] == pytest.approx(apart, rel=1e-3)
    assert apart > 0.1


def test_identity_swap_of_an_always_on_rectifier_changes_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    nn.init.constant_(net[0].bias, 50.0)
    x = torch.rand(8, 2)
    assert on_examples(net, x).idle == ("1",)
    swapped = nn.Sequential(net[0], nn.Identity(), net[2])
    assert torch.equal(net(x), swapped(x))


def test_proven_within_a_box_and_lossless_there():
    """Serra et al.: w = (1, 1), b = -3 over [0, 1]^2 is at most -1."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        net[0].weight[0], net[0].bias[0] = torch.ones(2), -3.0
        net[0].weight[1:], net[0].bias[1:] = torch.randn(3, 2), 0.0
    box = torch.zeros(1, 2), torch.ones(1, 2)
    found = shrink_network(net, torch.rand(8, 2), within=box)
    assert found.static["0"] >= 1
    x = torch.rand(1000, 2)
    assert torch.allclose(found.model(x), net(x), atol=1e-6)
    with pytest.raises(BadInput, match="one of them"):
        shrink_network(net, x, within=box, by_data=True)
    assert shrink_network(net, x, within=(0, 1)).static == found.static
    with pytest.raises(BadInput, match="Type bounds that hold them"):
        shrink_network(net, x + 1, within=(0, 1))
    with pytest.raises(BadInput, match="expected two numbers, or bounds of shape"):
        shrink_network(net, x, within=(torch.zeros(1, 2), 1.0))


@pytest.mark.parametrize("name", ["lenet5:units=20", "resnet20:width=4", "mobilenet:width=4,blocks=1", "vgg16:width=4"])
def test_bounds_hold_what_happens(name):
    torch.manual_seed(0)
    net = parse_architecture(name).build((1, 8, 8), 10).double().eval()
    low, high = torch.zeros(1, 1, 8, 8).double(), torch.full((1, 1, 8, 8), 0.05).double()
    bounding, x = _Bounding(net), (low + high) / 2
    bounding.bounds[x] = Bounds(low.clone(), high.clone())
    with torch.no_grad(), bounding.callers.followed(), bounding:
        own = bounding.bounds[net(x)]
    with torch.no_grad():
        made = net(0.05 * torch.rand(50, 1, 8, 8).double())
    assert bool((own.low <= made).all())
    assert bool((made <= own.high).all())
    zeros = within(net, low, high).zeros
    seen = on_examples(net, 0.05 * torch.rand(50, 1, 8, 8).double()).zeros
    for weight, found in zeros.items():
        assert bool((found[0].constant <= seen[weight][0].constant).all())


@pytest.mark.parametrize(
    "code",
    [
        lambda x: 1 - x,
        lambda x: torch.rsub(x, 2, alpha=3),
        lambda x: 1 / (3 + x),
        lambda x: 2**x,
        lambda x: torch.sub(x, x.flip(1), alpha=2),
        lambda x: x.to(torch.bool).to(x.dtype),
        lambda x: torch.ones(2, 2, dtype=x.dtype).__rmatmul__(x),
    ],
)
def test_bounds_hold_whatever_order_operands_come_in(code):
    low, high = torch.full((1, 2), -1.0).double(), torch.full((1, 2), 2.0).double()
    bounding, x = _Bounding(nn.Identity()), (low + high) / 2
    bounding.bounds[x] = Bounds(low.clone(), high.clone())
    with torch.no_grad(), bounding:
        own = bounding.bounds[code(x)]
    grid = torch.cartesian_prod(*[torch.linspace(-1, 2, 13).double()] * 2)
    assert bool((own.low <= code(grid)).all())
    assert bool((code(grid) <= own.high).all())


class Complement(nn.Module):
    """A unit that is off where the first feature is 1, in all of the examples, and on elsewhere within the bounds."""

    def __init__(self):
        super().__init__()
        self.a, self.rectifier, self.b = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)
        with torch.no_grad():
            self.a.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [1, 1]]))
            self.a.bias.copy_(torch.tensor([-0.25, 0.5, 0]))

    def forward(self, x):
        return self.b(self.rectifier(self.a(1 - x)))


def test_a_unit_that_reads_one_minus_its_input_is_not_static():
    net, x = Complement(), torch.rand(8, 2)
    x[:, 0] = 1
    found = shrink_network(net, x, within=(0, 1))
    inside = torch.rand(100, 2)
    assert torch.allclose(found.model(inside), net(inside), atol=1e-6)
    assert found.static == {}


def test_bounds_that_do_not_hold_the_examples_are_refused():
    x = torch.linspace(0, 1, 12).view(4, 3)
    low, high = bounds_of("0,1", x)
    assert (low == 0).all()
    assert (high == 1).all()
    assert torch.equal(bounds_of("data", x)[1], x[3:])
    for words, said in (
        ("0.2,0.8", r"--within 0.2,0.8: .* lie in \[0, 1\]"),
        ("-1,0.8", "hold them"),
        ("1,0", "--within 1,0: expected two finite numbers, the lower one first"),
        ("nan,1", "--within nan,1: expected two finite"),
        ("0", "--within 0: expected LOW,HIGH"),
    ):
        with pytest.raises(BadInput, match=said):
            bounds_of(words, x)


def test_the_same_line_finds_its_file_and_another_is_refused(tmp_path):
    import tyro

    from minima.train import main as train
    from pruning.shrink.__main__ import main
    from pruning.shrink.flags import Shrink

    def shrink(*words):
        return main(tyro.cli(Shrink, args=[str(net), "-o", str(small), *words]))

    net, small = tmp_path / "net.pt", tmp_path / "small.pt"
    words = ["--model", "mlp:hidden=8x6", "--data", "digits", "--epochs", "0"]
    train(tyro.cli(Train, args=[*words, "-o", str(net)]))
    first = shrink()
    content = small.read_bytes()
    again = shrink()
    changing = ("reused", "latency")
    assert (first.summary["reused"], again.summary["reused"]) == (False, True)
    assert {key: value for key, value in first.summary.items() if key not in changing} == {
        key: value for key, value in again.summary.items() if key not in changing
    }
    assert small.read_bytes() == content
    assert "the network has no mask" in first.table
    with pytest.raises(BadInput, match="made with another --by-data"):
        shrink("--by-data")
    assert not shrink("--by-data", "--overwrite").summary["reused"]
    small.write_bytes(net.read_bytes())
    with pytest.raises(BadInput, match="not made from"):
        shrink()
    small.write_text("notes")
    with pytest.raises(BadInput, match="is another file"):
        shrink()


def test_a_file_that_was_shrunk_by_data_is_rebuilt_from_itself(tmp_path):
    import tyro

    from minima.train import main as train
    from pruning.shrink.__main__ import main
    from pruning.shrink.flags import Shrink

    words = ["--model", "mlp:hidden=16x8", "--data", "digits", "--epochs", "0", "-o", str(tmp_path / "net.pt")]
    train(tyro.cli(Train, args=words))
    words = [str(tmp_path / "net.pt"), "-o", str(tmp_path / "small.pt"), "--by-data", "--vanishing", "keep-one"]
    told = main(tyro.cli(Shrink, args=words)).summary
    small = load_subject(tmp_path / "small.pt")
    wide = load_subject(tmp_path / "net.pt")
    assert torch.allclose(small.model(small.x), wide.model(wide.x), atol=1e-5)
    assert told["difference_by_static"]["examples"] <= 1e-10


def test_units_whose_number_is_written_in_the_code_are_not_said_to_be_in_use(tmp_path):
    import tyro

    from pruning.shrink.__main__ import main
    from pruning.shrink.flags import Shrink

    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(144, 10)\n"
        "    def forward(self, x):\n"
        "        return self.fc(self.conv(x).relu().view(-1, 144))\n"
    )
    draws = torch.Generator().manual_seed(0)
    shapes = {"conv.weight": (4, 1, 3, 3), "conv.bias": (4,), "fc.weight": (10, 144), "fc.bias": (10,)}
    state = {name: torch.rand(shape, generator=draws) for name, shape in shapes.items()}
    state["conv.weight"][0] = 0
    torch.save(state, tmp_path / "net.pt")
    words = [str(tmp_path / "net.pt"), "--model", f"{tmp_path}/net.py:Net", "--data", "digits", "--stuck", "keep"]
    table = main(tyro.cli(Shrink, args=[*words, "-o", str(tmp_path / "small.pt")])).table
    assert "The units of these layers stay: conv (the size 144 that view asks for" in table
    assert "has inputs and is read" not in table
