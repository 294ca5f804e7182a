"""A network that nobody here trained, on data that is not bundled."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

MNIST_ROOT = Path(os.environ.get("DATA_ROOT", Path(__file__).parents[3] / "shared" / "data"))
MY_LENET = """
import torch
from torch import nn
import torch.nn.functional as F

class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(800, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc2(self.fc1(x.flatten(1)).relu_())
"""


@pytest.fixture
def theirs(tmp_path):
    """A foreign LeNet-5 file and the flags that explain it."""
    if not (MNIST_ROOT / "MNIST" / "raw").is_dir():
        pytest.skip(f"MNIST is not in {MNIST_ROOT}: point $DATA_ROOT to it")
    (tmp_path / "my_lenet.py").write_text(MY_LENET)
    scope = {}
    exec(MY_LENET, scope)
    torch.manual_seed(0)
    network: nn.Module = scope["LeNet5"]()
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "theirs.pt")
    flags = ["--model", "my_lenet.py:LeNet5", "--data", "mnist", "--data-root", MNIST_ROOT, "--samples", 200]
    return tmp_path, flags


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("landscape.sharpness", ["--measures", "lambda_max,keskar"]),
        ("landscape.hessian", ["--top", 2]),
        ("landscape.surface", ["--grid", 3]),
        ("entropy.psp", []),
    ],
)
def test_a_foreign_lenet5_is_measured(theirs, command, module, words):
    folder, flags = theirs
    report = command(module, "theirs.pt", *flags, *words, cwd=folder)
    assert report["samples"] == 200
    if module == "entropy.psp":
        layers = [(layer["name"], layer["neurons"]) for layer in report["layers"]]
        assert layers == [("conv1", 11520), ("conv2", 3200), ("fc1", 500), ("fc2", 10)]
