"""A network that nobody here trained, on data that is not bundled."""

import os
import struct
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


def write_standin(raw):
    """Noise in MNIST's files, 250 images in each split."""
    generator = torch.Generator().manual_seed(0)
    raw.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        images = torch.randint(0, 256, (250, 28, 28), generator=generator, dtype=torch.uint8)
        labels = torch.arange(250, dtype=torch.uint8) % 10
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (raw / f"{prefix}-{kind}-ubyte").write_bytes(header + array.numpy().tobytes())


@pytest.fixture
def theirs(tmp_path):
    """A foreign LeNet-5 file and the flags that explain it; the data is MNIST, or a stand-in of its shape."""
    root = MNIST_ROOT
    if not (root / "MNIST" / "raw").is_dir():
        root = tmp_path / "standin"
        write_standin(root / "MNIST" / "raw")
    (tmp_path / "my_lenet.py").write_text(MY_LENET)
    scope = {}
    exec(MY_LENET, scope)
    torch.manual_seed(0)
    network: nn.Module = scope["LeNet5"]()
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "theirs.pt")
    flags = ["--model", "my_lenet.py:LeNet5", "--data", "mnist", "--data-root", root, "--samples", 60]
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
    assert report["samples"] == 60
    if module == "entropy.psp":
        layers = [(layer["name"], layer["neurons"]) for layer in report["layers"]]
        assert layers == [("conv1", 11520), ("conv2", 3200), ("fc1", 500), ("fc2", 10)]
