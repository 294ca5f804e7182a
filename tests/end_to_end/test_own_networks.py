"""Networks of a user's own from training to sparse, measured checkpoints, whatever their loss and outputs."""

import importlib
import json


import pytest
import torch
from oracles import own_networks
from oracles.own_networks import KINDS, RECIPE, repeated

from minima.store.checkpoints.checkpoint import load
from minima.store.command import run
from pruning.composition.method import methods
from pruning.running.arguments import arguments_of


@pytest.fixture
def here(tmp_path, monkeypatch):
    own_networks.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(capsys):
    """Run a command in this process: exit status, JSON object (or None), standard error."""

    def call(command, *words):
        if command in methods():
            from pruning.running.command import main

            flags = arguments_of(methods()[command])
        else:
            package, _, name = command.rpartition(".")
            module = importlib.import_module("minima.train" if command == "minima.train" else f"{command}.__main__")
            main, flags = module.main, getattr(module, name.capitalize())
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run(flags, main, prog=command, argv=[*map(str, words), "--json"])
        out, err = capsys.readouterr()
        assert "not a message you should see" not in err
        return end.value.code or 0, json.loads(out) if out else None, err

    return call


def train(typed, kind, *more):
    status, said, err = typed("minima.train", *KINDS[kind], "-o", f"{kind}.pt", *RECIPE, *more)
    assert status == 0, err
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_trained_pruned_measured(here, typed, kind):
    said = train(typed, kind)
    assert said["score_name"] == {"line": "r2", "own": None}.get(kind, "accuracy")
    dense = load(here / f"{kind}.pt")
    assert dense.model["name"] == f"{here / 'nets.py'}:{KINDS[kind][1].partition(':')[2]}"
    assert ("task" in dense.training) == (kind not in ("pixels", "words"))
    for method in ("magnitude", "snip", "lobster", "rigl"):
        more = ["--accept-noise", "--validation", 0.2] if method != "magnitude" else []
        more += ["--tolerance", 0.5, "--plateau", 0] if method == "lobster" else []
        out = f"{kind}.{method}.pt"
        status, said, err = typed(
            method, f"{kind}.pt", *repeated(kind), "--sparsity", 0.5, "-o", out, "--epochs", 2, *more
        )
        assert status == 0, err
        sparse = load(here / out)
        assert method == "lobster" or said["sparsity"] == pytest.approx(0.5, abs=0.05)
        assert sparse.model == dense.model
        assert sparse.training.get("task") == dense.training.get("task")
        assert all((sparse.state[name][~mask] == 0).all() for name, mask in sparse.masks.items())
    status, said, err = typed("landscape.hessian", out, *repeated(kind), "--top", 1, "-o", "h.h5", "--overwrite")
    assert status == 0, err
    assert said["loss"] == pytest.approx(evaluated(here, kind, load(here / out)), rel=1e-5)


def evaluated(here, kind, checkpoint):
    """The training loss with torch's own functions, nothing of ours."""
    import numpy as np
    from torch.nn import functional

    scope = {}
    exec((here / "nets.py").read_text(), scope)
    model = scope[KINDS[kind][1].partition(":")[2]]()
    model.load_state_dict(checkpoint.state)
    model.eval()
    data = np.load(here / KINDS[kind][3].partition(":")[2])
    y = torch.from_numpy(data["y_train"])
    with torch.no_grad():
        if kind == "words":
            return functional.cross_entropy(
                model(torch.from_numpy(data["x_train.ids"]), torch.from_numpy(data["x_train.mask"])), y
            ).item()
        out = model(torch.from_numpy(data["x_train"]))
        return {
            "line": lambda: functional.mse_loss(out["values"], y),
            "own": lambda: functional.smooth_l1_loss(out["values"], y),
            "pixels": lambda: functional.cross_entropy(out, y),
            "labels": lambda: functional.binary_cross_entropy_with_logits(out[0], y),
        }[kind]().item()
