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


def test_a_network_that_says_nothing_of_its_training_is_refused(tmp_path):
    torch.save({"weight": torch.ones(10, 64), "bias": torch.ones(10)}, tmp_path / "f.pt")
    (tmp_path / "net.py").write_text(
        "from torch import nn\nclass Net(nn.Linear):\n    def __init__(self): super().__init__(64, 10)\n"
        "    def forward(self, x): return super().forward(x.flatten(1))\n"
    )
    with pytest.raises(BadInput, match="no epoch of training"):
        equilibrium(tmp_path / "f.pt", "--model", f"{tmp_path}/net.py:Net", "--data", "digits", "-o", tmp_path / "x.h5")
