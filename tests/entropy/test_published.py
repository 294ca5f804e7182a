"""With its clamp, our numbers are those of the published algorithm, on a LeNet-5 that is not ours."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.published_psp import published_psp
from entropy.psp.__main__ import main
from entropy.psp.flags import Psp
from minima.store.command import BadInput
from minima.zoo.data.specs import load_data, resolve_data
from minima.zoo.examples.batches import batches

ROOT = Path(os.environ.get("DATA_ROOT", Path(__file__).parents[3] / "shared" / "data"))
FILE = """
import torch.nn.functional as F
from torch import nn

class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))
"""


def test_a_foreign_lenet5_on_mnist_agrees_with_the_published_algorithm(tmp_path: Path) -> None:
    try:
        dataset = load_data(resolve_data("mnist", ROOT))
    except BadInput:
        pytest.skip(f"MNIST is not at {ROOT}: point $DATA_ROOT to a folder with MNIST/raw/*-ubyte")
    names: dict[str, type[nn.Module]] = {}
    exec(FILE, names)
    (tmp_path / "my_lenet.py").write_text(FILE)
    torch.manual_seed(0)
    model = names["LeNet5"]()
    optimiser = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    for x, y in list(batches(dataset.x_train, dataset.y_train, 100))[:60]:
        optimiser.zero_grad()
        cross_entropy(model(x), y).backward()
        optimiser.step()
    torch.save({"state_dict": model.state_dict()}, tmp_path / "foreign.pt")
    spec = f"{tmp_path / 'my_lenet.py'}:LeNet5"
    flags = {"model": spec, "data": "mnist", "data_root": ROOT, "samples": "first:1000", "compat": "published"}
    summary = main(Psp(checkpoints=(tmp_path / "foreign.pt",), device="cpu", **flags)).summary  # type: ignore[arg-type]
    x, y = dataset.x_test[:1000], dataset.y_test[:1000]
    published = published_psp(model.eval(), lambda: batches(x, y, 100), 10)
    assert [layer["name"] for layer in summary["layers"]] == ["conv1", "conv2", "fc1", "fc2"]
    with h5py.File(summary["out"]) as file:
        for layer, expected in zip(summary["layers"], published, strict=True):
            assert layer["mean"] == pytest.approx(float(expected.mean()), abs=1e-4)
            ours = file[f"psp/{layer['name']}/entropy"][:]
            assert np.mean(np.abs(ours - expected.numpy()) > 1e-4) < 1e-3  # ties may fall either way
