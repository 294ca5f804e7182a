"""Smaller networks in processes of their own: measured, pruned again, exported, read back, also those of own code."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from oracles.masked_units import mask_units

from minima.store.checkpoints.checkpoint import load, save
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.subject.subject import load_subject

DOCS = Path(__file__).parents[2] / "docs" / "shrink.md"
OWN = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.width = 16
        self.conv, self.fc = nn.Conv2d(1, 16, 3, padding=1), nn.Linear(64, 10)
        self.pool = nn.MaxPool2d(4)

    def forward(self, x):
        return self.fc(self.pool(self.conv(x).relu()).view(len(x), self.width, 4).flatten(1))
"""


def masked(source, target, **choice):
    """The checkpoint with half the units of each layer masked."""
    found = load_subject(source, device="cpu", **choice)
    mask_units(found.model, found.x[:1])
    state = {name: value.clone() for name, value in found.model.state_dict().items()}
    masks = {name: weight.detach() != 0 for name, weight in prunable(found.model).items()}
    save(replace(found.checkpoint, state=state, masks=masks), target)


@pytest.fixture(scope="module")
def small(tmp_path_factory, command):
    """A folder with net.pt, half of whose units are masked, and small.pt."""
    folder = tmp_path_factory.mktemp("small")
    command("minima.train", "--model", "lenet5:units=20", "--epochs", 1, "-o", folder / "dense.pt")
    masked(folder / "dense.pt", folder / "net.pt")
    said = command("pruning.shrink", folder / "net.pt", "-o", folder / "small.pt")
    return folder, said


def test_what_is_said(small):
    folder, said = small
    assert said["units_removed"] == {"conv1": 10, "conv2": 25, "fc1": 10}
    assert said["max_difference"]["float64"] <= 1e-10
    assert said["parameters"]["after"] < 0.3 * said["parameters"]["before"]
    assert set(said["latency"]) == {"before", "after", "examples"}
    assert said["bytes"]["after"] == (folder / "small.pt").stat().st_size < said["bytes"]["before"]
    assert said["layers_removed"] == []
    assert load(folder / "small.pt").weights_at[0]["conv1.weight"].shape[0] == 10


def test_measured(small, command):
    folder, _ = small
    assert command("landscape.hessian", "small.pt", "--samples", 30, "--top", 1, cwd=folder)
    assert command("entropy.psp", "small.pt", cwd=folder)


def test_survivors_are_those_of_the_masked_file(small, command):
    flags = ["--parent", "dense.pt", "--samples", 30, "--top", 1]
    assert command("landscape.survivors", "net.pt", *flags, cwd=small[0])
    err = command("landscape.survivors", "small.pt", *flags, cwd=small[0], fails=True)
    assert "name the masked file that it was made from" in err


def test_pruned_again(small, command):
    folder, _ = small
    command("pruning", "magnitude", folder / "small.pt", "--sparsity", 0.5, "--epochs", 1, "-o", folder / "again.pt")
    assert load(folder / "again.pt").state["conv1.weight"].shape[0] == 10


@pytest.mark.parametrize("end", [".pt2", ".onnx"])
def test_exported(small, command, end):
    if end == ".onnx":
        pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
    folder, _ = small
    said = command("pruning.export", folder / "small.pt", "-o", folder / f"out{end}")
    assert said["parameters"] < 10_000
    assert said["max_difference"] <= 1e-5


def test_a_network_of_own_code(tmp_path, command):
    (tmp_path / "net.py").write_text(OWN)
    named = ["--model", "net.py:Net"]
    command("minima.train", *named, "--epochs", 1, "-o", "dense.pt", cwd=tmp_path)
    masked(tmp_path / "dense.pt", tmp_path / "net.pt", model=f"{tmp_path}/net.py:Net")
    command("pruning.shrink", "net.pt", *named, "-o", "small.pt", cwd=tmp_path)
    entry = load(tmp_path / "small.pt").model["shrunk"][0]
    assert entry["attributes"][""] == {"width": 8}
    said = command("pruning.export", "small.pt", *named, "-o", "out.pt", cwd=tmp_path)
    assert said["parameters"] == 8 * 9 + 8 + 32 * 10 + 10
    (tmp_path / "net.py").write_text(OWN.replace("nn.Conv2d(1, 16", "nn.Conv2d(1, 6").replace("= 16", "= 6"))
    err = command("pruning.export", "small.pt", *named, "-o", "2.pt", cwd=tmp_path, fails=True)
    assert "not the one that the checkpoint was shrunk from" in err


def test_the_commands_of_the_page(small, command):
    """Typed as docs/shrink.md has them."""
    folder, _ = small
    (folder / "runs").mkdir()
    (folder / "runs" / "net.pt").write_bytes((folder / "net.pt").read_bytes())
    lines = re.findall(r"^python -m (.+)$", DOCS.read_text(), re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        command(*line.split(), cwd=folder)
    tensors = torch.load(folder / "runs" / "small.pt", weights_only=True)["state"]
    assert tensors["conv1.weight"].shape == (10, 1, 5, 5)
