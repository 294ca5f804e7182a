"""`python -m pruning.coded`: bytes that decode to the very same weights, entropies by hand, and bounds of the coder."""

import math

import h5py
import numpy as np
import pytest
import torch
import tyro
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.subject.subject import load_subject
from pruning.coded.__main__ import main
from pruning.coded.coder import decode, encode
from pruning.coded.flags import Coded
from pruning.coded.ideal import entropy_bits, ideal
from pruning.coded.network import decoded, encoded
from pruning.coded.quantising import quantise, quantise_by

ONE = np.float32(0.125)
HEADER = 8 * 320
"""bits: the lengths of the codes of at most 286 symbols, 7 bits for each at most, and the block's own"""
BLOCK = 2**14
"""symbols of the smallest block"""


def coded(*words):
    return main(tyro.cli(Coded, args=[str(word) for word in words]))


def drawn(seed, shape, zeros, bits=6):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=shape) * (rng.random(shape) >= zeros)
    return quantise(weights, bits).symbols


def test_entropy_of_the_case_by_hand():
    """1000 weights, 900 scattered zeros, 100 of one value: 1000 h(0.1) bits; as nine rows of ten only the rows cost."""
    scattered, rows = np.zeros((2, 10, 100), dtype=np.int8)
    scattered[np.arange(100) % 10, np.arange(100)] = 5
    rows[3] = 5
    h = -(0.1 * math.log2(0.1) + 0.9 * math.log2(0.9))
    found = ideal(scattered)
    assert (found.lines, found.values) == (0, 0)
    assert found.bits == pytest.approx(1000 * h)
    assert round(found.bits) == 469
    found = ideal(rows)
    assert (found.mask, found.values) == (0, 0)
    assert found.bits == found.lines == pytest.approx(10 * h)
    rows[3] = np.arange(100) % 4 + 1  # four values, alike often
    assert ideal(rows).values == pytest.approx(100 * 2)
    assert ideal(rows[3:4]).bits == pytest.approx(100 * 2)  # where the rows are gone, the 100 kept alone


def test_mask_and_values_are_the_entropy_of_all_symbols():
    symbols = drawn(0, (30, 40), 0.7)
    found = ideal(symbols)
    assert found.lines == 0
    assert found.mask + found.values == pytest.approx(entropy_bits(symbols))


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.int8,
        st.one_of(st.tuples(st.integers(0, 6), st.integers(0, 40)), st.just((3, 2, 3, 3))),
        elements=st.sampled_from([0, 0, 0, 0, 1, -1, 127, -127]),
    ),
    st.floats(0, 2.0**99, width=32, allow_subnormal=False),
)
def test_what_is_decoded_is_what_was_coded(symbols, step):
    found, read = decode(encode(symbols, np.float32(step)).content, symbols.shape)
    assert read == np.float32(step)
    assert found.dtype == symbols.dtype
    assert np.array_equal(found, symbols)


def test_long_gaps_are_decoded():
    """Of lengths about the byte that says that a gap goes on."""
    for gaps in ([254, 255, 256], [509, 510, 511], [0, 765, 1]):
        flat = np.zeros(4000, dtype=np.int8)
        flat[np.cumsum([gap + 1 for gap in gaps]) - 1] = 3
        symbols = flat.reshape(2, 2000)
        assert np.array_equal(decode(encode(symbols, ONE).content, symbols.shape)[0], symbols)


@pytest.mark.parametrize("zeros", [0, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("shape", [(20, 30), (100, 300), (40, 20, 5, 5)])
def test_the_coder_lies_above_the_entropy_by_no_more_than_it_says(zeros, shape):
    """Independent symbols: no code takes less than their entropy, a Huffman code less than a bit for each more."""
    symbols = drawn(1, shape, zeros)
    found = encode(symbols, ONE)
    bits = 8 * len(found.content)
    blocks = found.streams + found.coded_symbols // BLOCK
    assert ideal(symbols).bits <= bits
    assert (
        found.stream_bits
        <= bits
        <= found.stream_bits + found.coded_symbols + HEADER * blocks + 8 * (5 + 4 * found.streams)
    )
    if symbols.size > 10_000:
        assert bits < 1.15 * ideal(symbols).bits  # what it comes to in practice


def test_zeros_in_rows_cost_less_than_scattered_ones():
    rng = np.random.default_rng(2)
    rows = drawn(2, (100, 100), 0)
    rows[rng.random(100) < 0.9] = 0
    scattered = rng.permutation(rows.ravel()).reshape(100, 100)
    assert ideal(rows).bits < 0.7 * ideal(scattered).bits
    assert len(encode(rows, ONE).content) < 0.8 * len(encode(scattered, ONE).content)


def test_steps_are_nearest_and_zeros_stay():
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(7, 9)) * (rng.random((7, 9)) < 0.5)
    for bits in range(2, 9):
        found = quantise(weights, bits)
        apart = np.abs(found.weights() - weights)
        assert apart.max() <= 0.5 * found.step * (1 + 1e-5)
        assert np.abs(found.symbols).max() == 2 ** (bits - 1) - 1
        assert (found.symbols[weights == 0] == 0).all()
    assert np.array_equal(quantise_by(weights, 0.25, "w").symbols, np.rint(weights / 0.25))
    assert not quantise(np.zeros((2, 2)), 4).symbols.any()


def test_a_network_is_decoded_from_its_bytes_alone(prune, dense, tmp_path):
    prune("magnitude", dense, "--sparsity", 0.8, "--epochs", 0, "-o", tmp_path / "x.pt")
    subject = load_subject(tmp_path / "x.pt")
    known: dict[str, np.ndarray] = {}

    def rule(name, weights):
        found = quantise(weights, 5)
        known[name] = found.weights().astype(np.float32)
        return found

    written = encoded(subject.model, subject.masks, rule, {})
    blank = load_subject(tmp_path / "x.pt").model
    with torch.no_grad():
        for tensor in blank.state_dict().values():
            tensor.zero_()
    found = decoded(written.content, blank, {})
    for name, weight in prunable(found).items():
        assert np.array_equal(weight.detach().numpy(), known[name])
        assert not weight[~subject.masks[name]].any()
    for name, tensor in subject.model.state_dict().items():
        if name not in known:
            assert torch.equal(found.state_dict()[name], tensor)


def test_numbers_of_the_command(prune, dense, tmp_path):
    prune("magnitude", dense, "--sparsity", 0.8, "--epochs", 0, "-o", tmp_path / "x.pt")
    report = coded(dense, tmp_path / "x.pt", "--bits", 3, 8, "-o", tmp_path / "c.h5")
    found = report.summary
    for path, points, loss in zip((dense, tmp_path / "x.pt"), found["points"], found["loss"], strict=True):
        assert [point["bits"] for point in points] == [3, 8]
        for point in points:
            assert point["ideal_bytes"] <= point["coded_bytes"]
            assert point["stream_bytes"] <= point["coded_bytes"]
            assert sum(layer["coded_bytes"] + 4 for layer in point["layers"]) == point["coded_bytes"] - 4 * 22
        assert points[1]["loss"] == pytest.approx(loss, abs=0.02)
        subject = load_subject(path, split="test")
        with torch.no_grad():
            for name, weight in prunable(subject.model).items():
                step = weight.abs().max() / 3
                weight.copy_((weight / step).round() * step)
                assert layer_of(points[0], name)["nonzero"] == int(weight.count_nonzero())
        level = evaluate(subject.model, subject.x, subject.y, task=subject.task)
        assert points[0]["loss"] == pytest.approx(level.loss, rel=1e-4)
    assert found["float_bytes"][0] == 4 * (64 * 12 + 12 * 10 + 22)
    assert f"{found['points'][1][1]['coded_bytes']:,}" in report.table
    with h5py.File(tmp_path / "c.h5") as file:
        assert file["coded/coded_bytes"][()].tolist() == [[p["coded_bytes"] for p in each] for each in found["points"]]
        assert file["coded/coded_loss"].attrs["units"] == "nat"


def layer_of(point, name):
    return next(layer for layer in point["layers"] if layer["name"] == name)


def test_a_step_of_ones_own_and_a_foreign_network(tmp_path):
    state = {"0.weight": torch.eye(8, 64), "0.bias": torch.ones(8), "2.weight": torch.ones(10, 8)}
    torch.save(state | {"2.bias": torch.ones(10)}, tmp_path / "foreign.pt")
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self): super().__init__(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))\n"
        "    def forward(self, x): return super().forward(x.flatten(1))\n"
    )
    given = (tmp_path / "foreign.pt", "--model", f"{tmp_path}/net.py:Net", "--data", "digits", "--step")
    (point,) = coded(*given, 0.25, "-o", tmp_path / "x.h5").summary["points"]
    assert (point["bits"], point["step"]) == (None, 0.25)
    h = -(math.log2(8 / 64) / 8 + 7 / 8 * math.log2(7 / 8))  # of which columns are there; a unit matrix is left
    mask = 64 * -(1 / 8 * math.log2(1 / 8) + 7 / 8 * math.log2(7 / 8))
    assert point["line_bits"] + point["mask_bits"] == pytest.approx(min(64 * h + mask, entropy_bits(np.eye(8, 64))))
    assert point["value_bits"] == 0
    with pytest.raises(BadInput, match=r"--step 0.005: 0.weight would need 200 steps .*127.\nType --step 0.007882"):
        coded(*given, 0.005, "-o", tmp_path / "y.h5")


HALF = """
import torch
from torch import nn

def net():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10))
    made.register_buffer("flags", torch.tensor([True, False]))
    made.register_buffer("scale", torch.tensor(0.5))
    return made
"""


@pytest.mark.parametrize(
    ("dtype", "flags"), [("half", ()), ("bfloat16", ()), ("half", ("--dtype", "float64")), ("double", ())]
)
def test_a_network_takes_the_bytes_that_its_file_has(tmp_path, dtype, flags):
    """Half precision is widened to be measured; what is compared with is the network as it was brought."""
    (tmp_path / "net.py").write_text(HALF)
    scope = {}
    exec(HALF, scope)
    made = getattr(scope["net"](), dtype)()
    torch.save(made.state_dict(), tmp_path / "net.pt")
    words = (tmp_path / "net.pt", "--model", f"{tmp_path}/net.py:net", "--data", "digits", "--bits", 8, *flags)
    found = coded(*words, "-o", tmp_path / "x.h5").summary
    state = made.state_dict()
    others = sum(value.nbytes for name, value in state.items() if name not in ("1.weight", "4.weight"))
    assert found["float_bytes"] == sum(value.nbytes for value in state.values())
    assert found["other_bytes"] == others
    levels = {}
    for name in ("1.weight", "4.weight"):  # the network by hand: 8 bits, all else as in the file
        weight = state[name].double()
        step = np.float64(np.float32(weight.abs().max() / 127))
        levels[name] = (weight / step).round() * step
    plain = scope["net"]().double().eval()
    plain.load_state_dict({name: value.double() for name, value in state.items()} | levels)
    dataset = load_subject(tmp_path / "net.pt", model=f"{tmp_path}/net.py:net", data="digits", split="test")
    loss = torch.nn.functional.cross_entropy(plain(dataset.x.double()), dataset.y)
    assert found["points"][0]["loss"] == pytest.approx(loss.item(), rel=1e-6)


def test_what_is_refused(dense):
    for words, said in (
        (["--bits", 1], "--bits 1: expected 2 to 8"),
        (["--bits", 9], "--bits 9"),
        (["--bits", 4, "--step", 0.1], "--bits and --step both"),
        (["--step", 0.0], "--step 0: expected a finite number above 0"),
    ):
        with pytest.raises(BadInput, match=said):
            coded(dense, *words)
