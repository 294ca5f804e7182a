"""Where in a foreign file the network is, under which names, and what may be missing or left over."""

import contextlib
import copy
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations

from minima.store.checkpoints.checkpoint import read
from minima.store.checkpoints.foreign import flattened
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.command import BadInput
from minima.zoo.subject.foreign import load_foreign
from minima.zoo.subject.ready import ready


class Tied(nn.Module):
    """An embedding whose head is the same tensor, a norm, and a buffer that is not stored."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Embedding(7, 4), nn.BatchNorm1d(4))
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.body[0].weight
        self.register_buffer("mask", torch.ones(3, 3).tril(), persistent=False)


def plain(seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    net[1].running_mean.normal_()
    return net.eval()


def tied(seed=0):
    torch.manual_seed(seed)
    return Tied().eval()


def load(make, content, tmp_path, **options):
    """Read what torch.save writes of the content into another network than it came from."""
    torch.save(content, tmp_path / "net.pt")
    model = ready(make(1))
    return model, load_foreign(model, read(tmp_path / "net.pt"), tmp_path / "net.pt", "mine", **options)


def assert_same(model, other):
    own, its = model.state_dict(), other.state_dict()
    assert own.keys() == its.keys()
    assert not [name for name in own if not torch.equal(own[name], its[name])]


OLD_NORM = pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
WRAPPERS = ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
names = st.text("abcxyz_0", min_size=1, max_size=6)
prefixes = st.lists(st.one_of(st.sampled_from([*WRAPPERS, "model", "net"]), names), max_size=3)
containers = st.lists(st.sampled_from(["state_dict", "model", "net", "ema", "weights", "anything"]), max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([plain, tied]), prefixes, containers, st.data())
def test_any_prefix_in_any_container_without_counters_and_copies(tmp_path_factory, make, prefix, place, data):
    """Wrappers inside the names too; the file says nothing else than what is drawn."""
    net = make()
    state = {}
    for name, value in net.state_dict().items():
        if name.endswith("num_batches_tracked") and data.draw(st.booleans()):
            continue
        parts = name.split(".")
        state[".".join([*prefix, *parts])] = value
    if make is tied:
        left_out = data.draw(st.sampled_from([None, "head.weight", "body.0.weight"]))
        state.pop(".".join([*prefix, left_out or ""]), None)
    if data.draw(st.booleans()):
        inner = data.draw(st.sampled_from(WRAPPERS))
        first = {name.split(".")[len(prefix)] for name in state}
        chosen = data.draw(st.sampled_from(sorted(first)))
        state = {
            ".".join([*prefix, chosen, inner, *name.split(".")[len(prefix) + 1 :]])
            if name.split(".")[len(prefix)] == chosen
            else name: value
            for name, value in state.items()
        }
    content = {"epoch": 3, "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}} if place else {}
    inside = state
    for key in reversed(place):
        inside = {key: inside}
    model, _ = load(make, content | inside, tmp_path_factory.getbasetemp())
    for name, value in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(model.state_dict()[name], value), name


def test_a_prefix_of_the_network_s_own_is_put_on(tmp_path):
    net = plain()
    model, loaded = load(lambda seed: nn.ModuleDict({"backbone": plain(seed)}), net.state_dict(), tmp_path)
    assert_same(model["backbone"], net)
    assert "put the prefix backbone." in loaded.notes[0]


def test_a_network_in_torch_s_wrappers_is_the_network(tmp_path):
    net = plain()
    for wrap in (torch.compile, nn.DataParallel, torch.optim.swa_utils.AveragedModel):
        model, _ = load(lambda seed, wrap=wrap: wrap(plain(seed)), net.state_dict(), tmp_path)
        assert_same(model, net)


def test_the_trained_weights_are_taken_before_averages_and_it_is_said(tmp_path):
    net, other = plain(), plain(2)
    for name in ("model_ema", "swa_state", "best", "teacher"):
        model, loaded = load(plain, {name: other.state_dict(), "model": net.state_dict()}, tmp_path)
        assert_same(model, net)
        assert f"--entry {name}" in loaded.notes[-1]
        model, loaded = load(plain, {name: other.state_dict(), "model": net.state_dict()}, tmp_path, entry=name)
        assert_same(model, other)
    model, loaded = load(plain, {"model": net.state_dict(), "ema": net.state_dict()}, tmp_path)
    assert not [note for note in loaded.notes if "--entry" in note]


def test_of_two_networks_in_one_state_dict_one_must_be_named(tmp_path):
    parts = {"left": plain(), "right": plain(2)}
    state = {f"{key}.{name}": value for key, net in parts.items() for name, value in net.state_dict().items()}
    with pytest.raises(BadInput, match=r"--entry left or --entry right"):
        load(plain, state, tmp_path)
    model, _ = load(plain, state, tmp_path, entry="right")
    assert_same(model, parts["right"])


def test_a_small_part_is_taken_on_request_only(tmp_path):
    state = {f"head.{name}": value for name, value in nn.Linear(4, 3).state_dict().items()}
    state |= {f"body.{name}": value for name, value in nn.Linear(40, 40).state_dict().items()}
    make = lambda _: nn.Linear(4, 3)  # noqa: E731
    with pytest.raises(BadInput, match="--entry head"):
        load(make, state, tmp_path)
    model, loaded = load(make, state, tmp_path, entry="head")
    assert torch.equal(model.weight, state["head.weight"])
    assert "body.weight" in loaded.notes[-1]


def test_an_entry_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    with pytest.raises(BadInput, match=r"(?s)It has: model_ema, model_state.*Type --entry model_ema"):
        load(plain, {"model_state": plain().state_dict(), "model_ema": plain(2).state_dict()}, tmp_path, entry="ema")


def test_two_different_copies_of_a_tied_weight_are_refused(tmp_path):
    state = tied().state_dict()
    state["head.weight"] = state["head.weight"] + 1
    with pytest.raises(BadInput, match=r"body\.0\.weight and head\.weight are one tensor"):
        load(tied, state, tmp_path)


def test_a_buffer_that_the_network_makes_itself_must_be_the_same_in_the_file(tmp_path):
    net = tied()
    model, _ = load(tied, net.state_dict() | {"mask": net.mask.half()}, tmp_path)
    assert_same(model, net)
    with pytest.raises(BadInput, match="mask is a buffer that the network makes itself"):
        load(tied, net.state_dict() | {"mask": net.mask + 1}, tmp_path)


@pytest.mark.parametrize("lost", ["0.weight", "1.running_var", "4.bias"])
def test_what_is_missing_is_named_with_what_is_near(tmp_path, lost):
    state = plain().state_dict()
    value = state.pop(lost)
    with pytest.raises(BadInput, match=rf"missing in the file: {lost}"):
        load(plain, state, tmp_path)
    with pytest.raises(BadInput, match=rf"nearest to {lost} .*: {lost}_old of the file"):
        load(plain, state | {f"{lost}_old": value}, tmp_path)


def test_lazy_layers_take_the_file_s_shapes(tmp_path):
    net = plain()
    make = lambda _: nn.Sequential(*list(plain(1))[:4], nn.LazyLinear(3))  # noqa: E731
    model, _ = load(make, net.state_dict(), tmp_path)
    assert torch.equal(model[4].weight, net[4].weight)


@OLD_NORM
def test_torchs_two_weight_norms_are_one(tmp_path):
    def make(norm):
        def made(seed=0):
            torch.manual_seed(seed)
            return nn.Sequential(norm(nn.Linear(4, 3)), nn.Linear(3, 2)).eval()

        return made

    for theirs in (nn.utils.weight_norm, parametrizations.weight_norm):
        net = make(theirs)()
        model, _ = load(make(parametrizations.weight_norm), net.state_dict(), tmp_path)
        x = torch.randn(5, 4)
        torch.testing.assert_close(model(x), net(x))


def test_reading_leaves_the_buffers_as_the_file_has_them(tmp_path):
    def make(seed=0):
        torch.manual_seed(seed)
        return nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 3)), nn.BatchNorm1d(3))  # in train mode

    net = make().eval()
    model, _ = load(make, net.state_dict(), tmp_path)
    assert not any(module.training for module in model.modules())
    assert_same(model, net)


def test_safetensors_whole_and_in_shards(tmp_path):
    net = plain()
    state = {name: value.contiguous() for name, value in net.state_dict().items()}
    save_file(state, tmp_path / "model.safetensors")
    halves = {"a.safetensors": list(state)[:4], "b.safetensors": list(state)[4:]}
    for file, held in halves.items():
        save_file({name: state[name] for name in held}, tmp_path / file)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: file for file, held in halves.items() for name in held}}))
    for path in (tmp_path / "model.safetensors", index):
        model = plain(1)
        load_foreign(model, read(path), path, "mine")
        assert_same(model, net)
    with pytest.raises(BadInput, match=r"index\.json"):
        load_foreign(plain(1), read(tmp_path / "a.safetensors"), tmp_path / "a.safetensors", "mine")
    before = content_hash(index)
    save_file({name: state[name] + 1 for name in halves["a.safetensors"]}, tmp_path / "a.safetensors")
    assert content_hash(index) != before
    (tmp_path / "b.safetensors").unlink()
    with pytest.raises(BadInput, match=r"1 of its 2 files are not beside it: b\.safetensors"):
        read(index)


@pytest.mark.parametrize("content", ["[]", "{", '{"weight_map": 3}', '{"weight_map": {"a": "../x.safetensors"}}'])
def test_what_is_no_index_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(content)
    with pytest.raises(BadInput, match="index"):
        read(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_safetensors_file_is_refused_or_read(tmp_path_factory, place, value):
    folder = tmp_path_factory.getbasetemp()
    net = plain()
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, folder / "x.safetensors")
    content = bytearray((folder / "x.safetensors").read_bytes())
    content[place % min(len(content), 1200)] = value
    (folder / "x.safetensors").write_bytes(content)
    with contextlib.suppress(BadInput):
        load_foreign(plain(1), read(folder / "x.safetensors"), folder / "x.safetensors", "mine")


def test_containers_that_hold_themselves_come_to_an_end():
    loop = {"weights": plain().state_dict()}
    loop["again"] = loop
    foreign = flattened(loop)
    model = plain(1)
    load_foreign(model, foreign, Path("x.pt"), "mine")
    assert_same(model, plain())
    many = [torch.ones(1)]
    for _ in range(40):
        many = [many] * 10
    assert len(flattened({"many": many}).tensors) <= 1_000_000


def test_of_what_is_left_over_it_is_said_how_the_class_may_hold_it(tmp_path):
    state = plain().state_dict() | {"scale": torch.ones(3)}
    with pytest.raises(BadInput, match=r"(?s)not in the model: scale\..*let the class have parameters of these names"):
        load(plain, state, tmp_path)
    with pytest.raises(BadInput) as missing:
        load(tied, state, tmp_path)
    assert "let the class" not in str(missing.value)


@OLD_NORM
def test_a_copy_of_a_filled_network_can_be_made(tmp_path):
    net = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)))
    model, _ = load(lambda _: nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3))), net.state_dict(), tmp_path)
    model(torch.ones(2, 4))
    assert copy.deepcopy(model)[0].weight.shape == (3, 4)
