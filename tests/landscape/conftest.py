"""Checkpoints on digits small enough to be measured in a moment, and commands run in this process."""

import importlib
import json

import pytest
import torch

from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.command import run
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import resolve_data


def make_checkpoint(path, *, model="mlp:hidden=8", seed=0, sparsity=0.0, below=0.0):
    """A network with initial weights, the smallest removed; `below`: how far under 0 running means begin."""
    entry = describe(parse_architecture(model), (1, 8, 8), 10)
    state, masks = initialise(entry, seed).state_dict(), {}
    for name, weight in state.items():
        if sparsity and weight.ndim > 1:
            masks[name] = weight.abs() > weight.abs().flatten().kthvalue(int(sparsity * weight.numel())).values
            state[name] = weight * masks[name]
        elif "running" in name:  # statistics of no data would make batch norm trivial
            drawn = torch.rand(weight.shape, generator=torch.Generator().manual_seed(seed))
            state[name] = weight + drawn - below * ("mean" in name)
    save(Checkpoint(model=entry, data=resolve_data("digits"), state=state, masks=masks, seed=seed), path)
    return path


@pytest.fixture
def checkpoint(tmp_path):
    return make_checkpoint(tmp_path / "net.pt")


@pytest.fixture
def pruned(tmp_path):
    return make_checkpoint(tmp_path / "net.magnitude-0.8.pt", sparsity=0.8)


@pytest.fixture
def another(tmp_path):
    """A further checkpoint: its file's name, and keywords of `make_checkpoint`."""
    return lambda name, **keywords: make_checkpoint(tmp_path / name, **keywords)


@pytest.fixture
def command(capsys):
    """Run `landscape.NAME` with arguments; exit status, JSON object (or None), standard error."""

    def call(name, *arguments, as_json=True):
        module = importlib.import_module(f"landscape.{name}.__main__")
        flags = module.flags() if name == "sharpness" else getattr(module, name.capitalize())
        argv = [*map(str, arguments), *["--json"] * as_json]
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run(flags, module.main, prog=f"python -m landscape.{name}", description="", argv=argv)
        out, err = capsys.readouterr()
        return end.value.code or 0, (json.loads(out) if as_json and out else out), err

    return call
