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
            name = command.rpartition(".")[2]
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


def theirs(here, kind, seed=1):
    """A file as a user's own loop writes it."""
    scope = {}
    exec((here / "nets.py").read_text(), scope)
    torch.manual_seed(seed)
    network = scope[KINDS[kind][1].partition(":")[2]]()
    path = here / f"{kind}.theirs{seed}.pt"
    torch.save({"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, path)
    return path, network.state_dict()


def test_a_file_of_somebody_else_is_pruned_without_training_and_that_is_said(here, typed):
    path, state = theirs(here, "line")
    status, _, err = typed("magnitude", path, "--sparsity", 0.5, "-o", "p.pt")
    assert status == 1
    assert "Add --model NAME" in err
    status, said, err = typed("magnitude", path, *KINDS["line"], "--sparsity", 0.5, "-o", "p.pt")
    assert (status, said["epochs"]) == (0, 0), err
    assert "--epochs 0" in err
    found = load(here / "p.pt")
    names = ["first.weight", "second.weight"]
    flat = torch.cat([state[name].flatten() for name in names])
    largest = flat.abs() >= flat.abs().sort().values[len(flat) // 2]
    kept = torch.cat([found.state[name].flatten() for name in names])
    assert torch.equal(kept, flat * largest)
    assert all(torch.equal(found.state[name], state[name]) for name in ("first.bias", "second.bias"))
    status, again, _ = typed("magnitude", path, *KINDS["line"], "--sparsity", 0.5, "-o", "p.pt")
    assert (status, again["reused"]) == (0, True)
    status, _, err = typed("landscape.hessian", "p.pt", "-o", "h.h5")
    assert status == 1
    assert f"--model {here / 'nets.py'}:Line" in err
    status, _, err = typed("rigl", path, *KINDS["line"], "--sparsity", 0.5, "-o", "r.pt")
    assert status == 1
    assert "Type --epochs" in err


def test_initial_weights_come_from_a_file_or_a_seed(here, typed):
    path, _ = theirs(here, "line")
    initial, state = theirs(here, "line", seed=2)
    words = ["snip", path, *KINDS["line"], "--sparsity", 0.5, "--accept-noise"]
    status, _, err = typed(*words, "--initial", initial, "-o", "file.pt")
    assert status == 0, err
    found = load(here / "file.pt")
    for name, mask in found.masks.items():
        assert torch.equal(found.state[name], state[name] * mask)
    biases = []
    for seed in (3, 3, 4):
        status, _, err = typed(*words, "--seed", seed, "--overwrite", "-o", "drawn.pt")
        assert status == 0, err
        assert f"draws under --seed {seed}" in err
        biases.append(load(here / "drawn.pt").state["first.bias"])
    assert torch.equal(biases[0], biases[1])
    assert not torch.equal(biases[0], biases[2])
    _, other = theirs(here, "labels")
    torch.save(other, here / "other.pt")
    status, _, err = typed(*words, "--initial", "other.pt", "-o", "x.pt", "--overwrite")
    assert status == 1
    assert "other.pt" in err


def test_training_on_repeats_the_code_and_keeps_masks_and_loss(here, typed):
    path, _ = theirs(here, "own")
    typed("magnitude", path, *KINDS["own"], "--sparsity", 0.5, "-o", "p.pt")
    status, _, err = typed("minima.train", "--from", "p.pt", "-o", "q.pt", *RECIPE)
    assert status == 1
    assert f"--model {here / 'nets.py'}:Line" in err
    status, said, err = typed("minima.train", "--from", "p.pt", "-o", "q.pt", *RECIPE, *repeated("own"))
    assert status == 0, err
    before, after = load(here / "p.pt"), load(here / "q.pt")
    assert after.training["task"] == before.training["task"]
    assert said["train_loss"] < before.metrics["train"]["loss"]
    assert all(torch.equal(after.masks[name], mask) for name, mask in before.masks.items())


def test_the_same_seed_draws_the_same_network_and_leaves_the_callers_numbers_alone(here, typed):
    state = torch.get_rng_state()
    for out, seed in (("a.pt", 5), ("b.pt", 5), ("c.pt", 6)):
        train(typed, "words", "--seed", seed, "-o", out)
    assert torch.equal(state, torch.get_rng_state())
    one, other, third = (load(here / out).state["head.weight"] for out in ("a.pt", "b.pt", "c.pt"))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


def test_a_network_that_changed_is_said(here, typed):
    train(typed, "line")
    (here / "nets.py").write_text((here / "nets.py").read_text() + "\n")
    status, _, err = typed("landscape.hessian", "line.pt", *repeated("line"), "--top", 1, "-o", "h.h5")
    assert status == 0
    assert "has changed since the checkpoint was made" in err


@pytest.mark.parametrize("kind", ["line", "words"])
@pytest.mark.parametrize("end", [".pt", ".safetensors", ".pt2", ".onnx"])
def test_exported_for_others(here, typed, kind, end):
    if end == ".onnx":
        pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path, _ = theirs(here, kind)
    typed("magnitude", path, *KINDS[kind], "--sparsity", 0.5, "-o", "p.pt")
    status, said, err = typed("pruning.export", "p.pt", *repeated(kind), "-o", f"out{end}")
    assert status == 0, err
    file = here / f"out{end}"
    assert said["bytes"] == file.stat().st_size
    assert said["max_difference"] <= (1e-6 if end in (".pt2", ".onnx") else 0)
    assert said["any_number_of_examples"]
    found = load(here / "p.pt").state
    if end in (".pt", ".safetensors"):
        from safetensors.torch import load_file

        tensors = torch.load(file, weights_only=True) if end == ".pt" else load_file(file)
        assert tensors.keys() == found.keys()
        assert all(torch.equal(tensors[name], found[name]) for name in found)
    status, _, err = typed("pruning.export", "p.pt", *repeated(kind), "-o", f"out{end}")
    assert status == 1
    assert "--overwrite" in err


def test_a_file_that_reads_back_otherwise_is_not_written(here, typed, monkeypatch):
    from pruning.export.formats.safetensors import Safetensors

    path, _ = theirs(here, "line")
    monkeypatch.setattr(Safetensors, "outputs", lambda *given: {k: v + 1e-3 for k, v in given[2](given[3]).items()})
    status, _, err = typed("pruning.export", path, *KINDS["line"], "-o", "out.safetensors")
    assert status == 1
    assert "differ by 0.001" in err
    assert not (here / "out.safetensors").exists()
    status, _, err = typed("pruning.export", path, *KINDS["line"], "-o", "out.bin")
    assert status == 1
    assert ".safetensors" in err
