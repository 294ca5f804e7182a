"""What of a foreign file's tensors goes into a network: dtypes, layouts, masks, zeros, and what is refused by name."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, prune

from minima.store.checkpoints.foreign import flattened
from minima.store.command import BadInput
from minima.zoo.subject.foreign import load_foreign
from minima.zoo.subject.precision import inputs_dtype
from minima.zoo.subject.ready import ready

FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
CODES = [torch.int8, torch.uint8, torch.int32, torch.int64, torch.bool]
EIGHTS = [torch.float8_e4m3fn, torch.float8_e5m2]
COMPLEX = [torch.complex64, torch.complex128]


class Counted(nn.Module):
    """A layer with an integer and an infinite buffer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.register_buffer("places", torch.arange(4))
        self.register_buffer("bias_of_masks", torch.full((2, 2), float("-inf")).triu(1))

    def forward(self, x):
        return self.fc(x[:, self.places])


def make(seed=0):
    torch.manual_seed(seed)
    return Counted()


def load(model, content, path, **options):
    model = ready(model)
    return model, load_foreign(model, flattened(content), path, "mine", **options)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FLOATS), st.sampled_from(FLOATS), st.sampled_from([None, "float32", "float64"]))
def test_the_dtype_in_which_a_network_runs(tmp_path_factory, theirs, ours, asked):
    """Its own, float64 where the file has it, float32 for half precision, or as asked; integers stay integers."""
    path = tmp_path_factory.getbasetemp() / "x.pt"
    state = make().to(theirs).state_dict()
    model, loaded = load(make(1).to(ours), state, path, precision=asked)
    wanted = torch.float64 if torch.float64 in (theirs, ours) else torch.float32
    wanted = getattr(torch, asked) if asked else wanted
    assert {p.dtype for p in model.parameters()} == {wanted} == {inputs_dtype(model)}
    assert model.places.dtype == torch.int64
    assert torch.equal(model.fc.weight, state["fc.weight"].to(wanted))
    assert loaded.state["fc.weight"].dtype == wanted
    half = {theirs, ours} & {torch.float16, torch.bfloat16}
    assert any("ran in float32" in note for note in loaded.notes) == bool(
        half and wanted == torch.float32 and not asked
    )


@pytest.mark.parametrize("name", ["fc.weight", "fc.bias"])
@pytest.mark.parametrize("dtype", CODES + EIGHTS + COMPLEX)
def test_a_dtype_that_means_something_else_is_refused_by_name(tmp_path, name, dtype):
    state = make().state_dict()
    state[name] = state[name].to(dtype)
    with pytest.raises(BadInput, match=rf"x\.pt: {name} .*{str(dtype)[6:]}"):
        load(make(1), state, tmp_path / "x.pt")


@pytest.mark.parametrize("dtype", [torch.qint8, torch.quint8, torch.qint32])
@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
def test_quantised_weights_are_refused_by_name(tmp_path, dtype):
    state = make().state_dict()
    state["fc.weight"] = torch.quantize_per_tensor(state["fc.weight"], 0.01, 0, dtype)
    with pytest.raises(BadInput, match=r"fc\.weight is quantised"):
        load(make(1), state, tmp_path / "x.pt")


def test_another_entry_without_codes_is_taken(tmp_path):
    state = make().state_dict()
    codes = {name: value.to(torch.int8) if value.is_floating_point() else value for name, value in state.items()}
    model, _ = load(make(1), {"model": codes, "weights_as_floats": state}, tmp_path / "x.pt")
    assert torch.equal(model.fc.weight, state["fc.weight"])


def test_integers_go_into_integers_that_hold_them(tmp_path):
    state = make().state_dict()
    for kept in (state["places"].flip(0).to(torch.int16), state["places"].double()):
        model, _ = load(make(1), state | {"places": kept}, tmp_path / "x.pt")
        assert torch.equal(model.places, kept.long())
    with pytest.raises(BadInput, match="places holds float32 values that int64"):
        load(make(1), state | {"places": state["places"] + 0.5}, tmp_path / "x.pt")


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr", "to_sparse_csc", "to_mkldnn"])
def test_layouts_are_made_dense(tmp_path, layout):
    state = make().state_dict()
    dense = state["fc.weight"] * (state["fc.weight"] > 0)
    model, loaded = load(make(1), state | {"fc.weight": getattr(dense, layout)()}, tmp_path / "x.pt")
    assert torch.equal(model.fc.weight, dense)
    assert torch.equal(loaded.masks["fc.weight"], dense != 0)


def test_a_complex_network_is_refused_by_name(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2, dtype=torch.complex64))
    with pytest.raises(BadInput, match=r"0\.weight of the model mine is complex64"):
        load(net, net.state_dict(), tmp_path / "x.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "1.bias", "1.running_mean", "1.running_var"])
def test_values_that_are_no_numbers_are_named(tmp_path, name, value):
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = net.state_dict()
    state[name].view(-1)[0] = value
    with pytest.raises(BadInput, match=rf"{name} contains NaN or infinity"):
        load(net, state, tmp_path / "x.pt")


def test_negative_variances_are_named(tmp_path):
    net = nn.Sequential(nn.BatchNorm1d(2))
    with pytest.raises(BadInput, match=r"0\.running_var holds -0\.5"):
        load(net, net.state_dict() | {"0.running_var": torch.tensor([1.0, -0.5])}, tmp_path / "x.pt")


# ---- masks


def small():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 5))


def test_factories_that_pruned_already(tmp_path):
    net = small()
    prune.random_unstructured(net[0], "weight", 0.4)
    prune.l1_unstructured(net[2], "bias", 0.4)
    for state in (net.state_dict(), {"state_dict": {f"module.{n}": v for n, v in net.state_dict().items()}}):
        factory = small()
        prune.identity(factory[0], "weight")
        prune.identity(factory[2], "bias")
        model, loaded = load(factory, state, tmp_path / "x.pt")
        assert torch.equal(model[0].weight, net[0].weight_orig * net[0].weight_mask)
        assert isinstance(model[0].weight, nn.Parameter)
        assert torch.equal(loaded.masks["0.weight"], net[0].weight_mask.bool())
        assert torch.equal(loaded.masks["2.bias"], net[2].bias_mask.bool())
        x = torch.randn(4, 20)
        torch.testing.assert_close(model(x), net(x))


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.uint8])
@pytest.mark.parametrize("form", ["{}", "module.{}", "{}_mask"])
@pytest.mark.parametrize("removed", [False, True])
def test_masks_under_a_key_of_their_own(tmp_path, dtype, form, removed):
    net = small()
    kept = {f"{layer}.weight": torch.rand(net[layer].weight.shape) > 0.3 for layer in (0, 2)}
    state = {name: value * kept[name] if name in kept else value for name, value in net.state_dict().items()}
    masks = {form.format(name): (~mask if removed else mask).to(dtype) for name, mask in kept.items()}
    model, loaded = load(small(), {"state_dict": state, "masks": masks}, tmp_path / "x.pt")
    assert {name: mask.tolist() for name, mask in loaded.masks.items()} == {n: m.tolist() for n, m in kept.items()}
    assert torch.equal(model[0].weight, state["0.weight"])
    assert f"0.weight {int((~kept['0.weight']).sum())} of 200" in loaded.notes[1]
    assert ("1 where weights are removed" in loaded.notes[1]) == removed


def test_masks_beside_the_weights_put_them_to_zero(tmp_path):
    net = small()
    mask = torch.rand(10, 20) > 0.5
    model, loaded = load(small(), net.state_dict() | {"0.weight_mask": mask.float()}, tmp_path / "x.pt")
    assert torch.equal(model[0].weight, net[0].weight * mask)
    assert torch.equal(loaded.masks["0.weight"], mask)
    assert "were not 0" in loaded.notes[-1]


def test_a_layer_that_starts_at_zero_is_no_mask(tmp_path):
    net = small()
    nn.init.zeros_(net[2].weight)
    with torch.no_grad():
        net[0].weight[:3] = 0
    _, loaded = load(small(), net.state_dict(), tmp_path / "x.pt")
    assert list(loaded.masks) == ["0.weight"]
    assert len(loaded.notes) == 1
    assert loaded.notes[0].endswith("(--zeros keep turns this off): 0.weight 60 of 200")
    _, loaded = load(small(), net.state_dict(), tmp_path / "x.pt", zeros="keep")
    assert (loaded.masks, loaded.notes) == ({}, ())


def test_zeros_of_reparametrised_weights(tmp_path):
    def normed():
        torch.manual_seed(0)
        layers = [
            parametrizations.weight_norm(nn.Linear(20, 20)),
            parametrizations.spectral_norm(nn.Linear(20, 20)),
            parametrizations.orthogonal(nn.Linear(20, 20)),
        ]
        return nn.Sequential(*layers)

    state = normed().state_dict()
    for name in ("0.parametrizations.weight.original1", "1.parametrizations.weight.original"):
        state[name][:5, :5] = 0
    model, loaded = load(normed(), state, tmp_path / "x.pt")
    assert {name: int((~mask).sum()) for name, mask in loaded.masks.items()} == {
        "0.parametrizations.weight.original1": 25,
        "1.parametrizations.weight.original": 25,
    }
    for layer in (0, 1):
        assert not model[layer].weight[:5, :5].any()
