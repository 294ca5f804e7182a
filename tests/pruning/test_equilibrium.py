"""`python -m pruning.equilibrium`: what the checkpoint says, beside a full training, and its figure."""

import h5py
import numpy as np
import pytest
import torch
import tyro

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.train import main as train
from minima.zoo.training.flags import Train
from pruning.equilibrium.__main__ import main
from pruning.equilibrium.flags import EquilibriumFlags


def equilibrium(*words):
    return main(tyro.cli(EquilibriumFlags, args=[str(word) for word in words]))


def test_beside_full_training(tmp_path, figure_of):
    small = {"model": "mlp:hidden=12", "epochs": 4}
    for name, own in (("full", {}), ("frozen", {"equilibrium": 0.01})):
        train(Train(**small, **own, out=str(tmp_path / f"{name}.pt")))
    report = equilibrium(tmp_path / "full.pt", tmp_path / "frozen.pt", "-o", tmp_path / "x.h5")
    found, stored = report.summary, load(tmp_path / "frozen.pt").metrics["equilibrium"]
    assert found["backward_share"][0] == 1 > found["backward_share"][1]
    assert found["skipped_updates"] == [0, stored["skipped_updates"]]
    assert found["updates"] == [22 * 4 * 13] * 2
    assert found["full_backward_multiply_adds"] == [4 * 1293 * (64 * 12 + 2 * 12 * 10)] * 2
    assert found["threshold"] == [None, 0.01]
    with h5py.File(tmp_path / "x.h5") as file:
        expected = np.array(stored["updated"]) / [12, 10]
        np.testing.assert_allclose(file["equilibrium/updated"][1], expected)
        assert (file["equilibrium/updated"][0] == 1).all()
    left = figure_of("equilibrium", tmp_path / "x.h5").axes[0]
    np.testing.assert_allclose(left.lines[1].get_ydata(), 100 * np.sum(stored["updated"], 1) / 22)


ATTENTION = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last, self.aside, self.first = nn.Linear(8, 10), nn.Linear(8, 8), nn.Linear(8, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        made = self.first(x.flatten(1).view(-1, 8, 8))
        return self.last(self.attention(made, made, made)[0].mean(1))

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(64, 10) / 64)

    def forward(self, x):
        return x.flatten(1) @ self.weight
"""


def test_what_is_not_called_is_not_watched(tmp_path):
    """Attention computes with the weight of its last layer without calling it: that its output had settled is not
    known, and it trains on; a layer that the network never calls has no neurons to leave out."""
    (tmp_path / "net.py").write_text(ATTENTION)
    code = {"model": f"{tmp_path}/net.py:Net", "data": "digits"}
    for name, own in (("full", {}), ("frozen", {"equilibrium": 1e9})):
        train(Train(**code, **own, epochs=3, out=str(tmp_path / f"{name}.pt")))
    words = (tmp_path / "full.pt", tmp_path / "frozen.pt", "--model", code["model"], "--data", "digits")
    found = equilibrium(*words, "-o", tmp_path / "x.h5").summary
    assert [[layer["name"] for layer in layers] for layers in found["layers"]] == [["last", "first"]] * 2
    assert found["updates"] == [found["updates"][1]] * 2
    state = load(tmp_path / "frozen.pt").state
    train(Train(**code, equilibrium=1e9, epochs=2, out=str(tmp_path / "before.pt")))
    before = load(tmp_path / "before.pt").state
    moved = {name for name, value in state.items() if not torch.equal(value, before[name])}
    assert {"attention.out_proj.weight", "attention.in_proj_weight"} <= moved
    assert not {"first.weight", "last.weight"} & moved


def test_a_network_without_layers_is_refused(tmp_path):
    (tmp_path / "net.py").write_text(ATTENTION)
    code = {"model": f"{tmp_path}/net.py:Plain", "data": "digits"}
    train(Train(**code, epochs=1, out=str(tmp_path / "plain.pt")))
    with pytest.raises(BadInput, match="no linear layer or convolution"):
        equilibrium(tmp_path / "plain.pt", "--model", code["model"], "--data", "digits", "-o", tmp_path / "x.h5")


def test_a_network_that_says_nothing_of_its_training_is_refused(tmp_path):
    torch.save({"weight": torch.ones(10, 64), "bias": torch.ones(10)}, tmp_path / "f.pt")
    (tmp_path / "net.py").write_text(
        "from torch import nn\nclass Net(nn.Linear):\n    def __init__(self): super().__init__(64, 10)\n"
        "    def forward(self, x): return super().forward(x.flatten(1))\n"
    )
    with pytest.raises(BadInput, match="no epoch of training"):
        equilibrium(tmp_path / "f.pt", "--model", f"{tmp_path}/net.py:Net", "--data", "digits", "-o", tmp_path / "x.h5")
