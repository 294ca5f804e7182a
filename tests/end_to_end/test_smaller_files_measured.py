"""Files with merged layers, folded norms or units gone: every measure and every export takes them."""

import contextlib
import io
import json
import runpy
import sys
from unittest.mock import patch

import numpy as np
import pytest
import torch

from minima.zoo.subject.subject import load_subject
from pruning.export.format import formats

MADE = {
    "merged": [
        "minima.train --model mlp:hidden=12x8x6 --data digits --epochs 2 --lr 0.1 -o net.pt",
        "pruning easier net.pt --drop 0.9 --epochs 1 --layers 2 -o merged.pt",
        "pruning magnitude merged.pt --sparsity 0.3 --epochs 1 --keep 1 -o sparse.pt",
    ],
    "guessed": ["pruning.shrink net.pt -o guessed.pt --by-data --vanishing keep-one --merge all"],
    "folded": [
        "minima.train --model resnet20:width=2 --data digits --epochs 1 -o resnet.pt",
        "pruning filters resnet.pt --units 0.4 --epochs 1 -o pruned.pt",
        "pruning.shrink pruned.pt -o folded.pt --fold-batch-norm",
    ],
}
MEASURES = [
    "landscape.sharpness {}.pt --measures lambda_max,average --samples 60",
    "landscape.hessian {}.pt --top 1 --samples 60",
    "landscape.surface {}.pt --grid 3 --samples 60",
    "landscape.topology {}.surface.h5",
    "entropy.psp {}.pt",
    "entropy.layers {}.pt",
    "entropy.transfer {}.pt --to digits:classes=5-9 --epochs 1",
    "minima.checkpoint {}.pt",
]
OF_TWO = [
    "landscape.path merged.pt sparse.pt --samples 60",
    "landscape.successive merged.pt sparse.pt -o successive.h5 --samples 60",
    "landscape.survivors sparse.pt --parent merged.pt --top 1 --samples 60",
    "landscape.stability sparse.trajectory.h5 --samples 60",
]
SUFFIXES = sorted((kind.suffixes[0] for kind in formats().values()), key=lambda suffix: suffix == ".onnx")


def typed(folder, line):
    """The JSON object that `python -m LINE` prints in a folder."""
    words, out = [*line.split(), "--json"], io.StringIO()
    caught = pytest.raises(SystemExit)
    with contextlib.chdir(folder), patch.object(sys, "argv", words), contextlib.redirect_stdout(out), caught as end:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    assert not end.value.code, line
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("smaller")
    for lines in MADE.values():
        for line in lines:
            typed(path, line)
    return path


def test_layers_are_gone_from_the_module(folder):
    kinds = [type(module).__name__ for module in load_subject(folder / "merged.pt").model.children()]
    assert kinds.count("Linear") == 2
    assert kinds.count("ReLU") == 1
    names = {type(module).__name__ for module in load_subject(folder / "folded.pt").model.modules()}
    assert not any("BatchNorm" in name for name in names)


@pytest.mark.parametrize("name", MADE)
def test_measured(folder, name):
    for line in MEASURES:
        said = typed(folder, line.format(name))
        assert "topology" in line or said["checkpoint"] == f"{name}.pt"


def test_measured_beside_each_other(folder):
    for line in OF_TWO:
        assert typed(folder, line)


@pytest.mark.parametrize("name", MADE)
def test_written_for_others(folder, name):
    subject = load_subject(folder / f"{name}.pt")
    with torch.no_grad():
        expected = subject.model(subject.x[:5])
    for suffix in SUFFIXES:
        if suffix == ".onnx":
            pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
        said = typed(folder, f"pruning.export {name}.pt -o {name}.out{suffix}")
        assert said["max_difference"] <= 1e-5
        assert said["parameters"] == sum(each.numel() for each in subject.model.parameters())
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(folder / f"{name}.out.onnx"))
    (given,) = session.get_inputs()
    (found,) = session.run(None, {given.name: subject.x[:5].numpy()})
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
