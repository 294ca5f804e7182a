"""`python -m pruning easier` and `nepenthe-layers`: rounds, budgets, what is written, and that a killed run goes on."""

import json
import subprocess

import pytest
import torch
import tyro
from forks.python import python
from torch import nn

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.train import main as train
from minima.zoo.anatomy.activation_modules import activation_modules
from minima.zoo.anatomy.costs.critical_path import critical_path
from minima.zoo.architecture.architecture import architectures, parse_architecture
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from pruning.composition.layer_method import layer_methods
from pruning.layer_methods.easier import Easier
from pruning.linearising import rounds
from pruning.linearising.command import main
from pruning.linearising.flags import arguments_of


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    path = tmp_path_factory.mktemp("parent") / "net.pt"
    words = ["--model", "mlp:hidden=12x10x8", "--data", "digits", "--epochs", "3", "--lr", "0.1", "-o", str(path)]
    train(tyro.cli(Train, args=words))
    return path


def take(method, path, out, *words):
    flags = [str(path), "-o", str(out), *map(str, words)]
    return main(tyro.cli(arguments_of(layer_methods()[method]), args=flags)).summary


def test_easier_takes_the_lowest_first_until_all_are_gone_and_one_layer_is_left(parent, tmp_path):
    found = take("easier", parent, tmp_path / "all.pt", "--epochs", 1, "--drop", 0.9)
    before = []
    for each in found["rounds"]:
        open_ = {name: bits for name, bits in each["entropies"].items() if name not in before}
        (new,) = set(each["out"]) - set(before)
        assert new == min(open_, key=open_.get)
        before = each["out"]
    assert len(before) == 3
    assert found["critical_path"] == {
        "before": {"layers": 4, "activations": 3},
        "after": {"layers": 1, "activations": 0},
    }
    assert found["parameters"]["after"] == 65 * 10
    small = load_subject(tmp_path / "all.pt")
    assert [type(module) for module in small.model.children()].count(nn.Linear) == 1
    with torch.no_grad():
        assert (small.model(small.x).argmax(1) == small.y).double().mean().item() == pytest.approx(
            found["train_accuracy"], abs=0.15
        )


def test_a_round_that_costs_too_much_is_taken_back(parent, tmp_path):
    found = take("easier", parent, tmp_path / "none.pt", "--epochs", 0, "--drop", 0)
    counted = [each for each in found["rounds"] if each["counts"]]
    assert found["put_out"] == (counted[-1]["out"] if counted else [])
    assert all(not each["counts"] for each in found["rounds"][len(counted) :])
    few = take("easier", parent, tmp_path / "one.pt", "--epochs", 0, "--drop", 0.99, "--layers", 1, "--keep-wide")
    assert len(few["put_out"]) == 1
    wide, dense = load(tmp_path / "one.pt"), load(parent)
    assert all(torch.equal(wide.state[name], dense.state[name]) for name in dense.state)


def test_a_network_of_which_no_round_counts_is_left_as_it_is(tmp_path, monkeypatch):
    """Its batch norms too, which are folded where a round counts."""
    net, out = tmp_path / "net.pt", tmp_path / "none.pt"
    words = ["--model", "mobilenet:width=2,blocks=1", "--data", "digits", "--epochs", "0", "-o", str(net)]
    train(tyro.cli(Train, args=words))
    qualities = iter([0.9, 0.1])
    monkeypatch.setattr(rounds.Rounds, "quality", lambda *_: next(qualities))
    found = take("easier", net, out, "--epochs", 0, "--validation", 0.1)
    assert [each["counts"] for each in found["rounds"]] == [False]
    assert found["parameters"]["before"] == found["parameters"]["after"]
    assert "no round counts" in found["notes"][0]
    assert all(torch.equal(value, load(out).state[name]) for name, value in load(net).state.items())


def test_nepenthe_halves_what_is_left_and_puts_out_what_does_nothing(parent, tmp_path):
    found = take(
        "nepenthe-layers", parent, tmp_path / "two.pt", "--epochs", 1, "--drop", 0.9, "--rounds", 2, "--keep-wide"
    )
    masks = load(tmp_path / "two.pt").masks
    left = sum(int(mask.sum()) for mask in masks.values() if mask.ndim > 1)
    whole = 64 * 12 + 12 * 10 + 10 * 8 + 8 * 10
    assert left <= whole / 4 + 2  # and fewer where units were off
    assert found["multiply_adds"]["before"] == whole


@pytest.mark.parametrize("method", sorted(layer_methods()))
def test_a_killed_run_goes_on_to_the_same_bytes(method, parent, tmp_path, monkeypatch):
    words = ("--epochs", 2, "--drop", 0.9, "--rounds", 2, "--keep-wide")
    take(method, parent, tmp_path / "whole.pt", *words)
    judge = rounds.Rounds._judge
    seen = []

    def killed(self, trainer, before):
        seen.append(1)
        if len(seen) == 2:
            self.part.save(self._state(trainer))
            raise KeyboardInterrupt
        judge(self, trainer, before)

    monkeypatch.setattr(rounds.Rounds, "_judge", killed)
    with pytest.raises(KeyboardInterrupt):
        take(method, parent, tmp_path / "stopped.pt", *words)
    monkeypatch.setattr(rounds.Rounds, "_judge", judge)
    take(method, parent, tmp_path / "stopped.pt", *words)
    one, two = load(tmp_path / "whole.pt"), load(tmp_path / "stopped.pt")
    assert all(torch.equal(one.state[name], two.state[name]) for name in one.state)
    assert one.metrics["layers"]["rounds"] == two.metrics["layers"]["rounds"]


def test_a_fresh_process_measures_and_exports_what_is_left(parent, tmp_path):
    take("easier", parent, tmp_path / "small.pt", "--epochs", 0, "--drop", 0.99, "--layers", 1)
    words = ["-m", "pruning.export", str(tmp_path / "small.pt"), "-o", str(tmp_path / "small.safetensors"), "--json"]
    done = subprocess.run([python(), *words], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["max_difference"] <= 1e-5


def test_rectifiers_that_are_calls_are_refused_in_words(tmp_path):
    (tmp_path / "net.py").write_text(
        "import torch\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a, self.b = torch.nn.Linear(64, 4), torch.nn.Linear(4, 10)\n\n"
        "    def forward(self, x):\n        return self.b(torch.relu(self.a(x.flatten(1))))\n"
    )
    spec = f"{tmp_path / 'net.py'}:Net"
    torch.save(
        {
            "a.weight": torch.randn(4, 64),
            "a.bias": torch.zeros(4),
            "b.weight": torch.randn(10, 4),
            "b.bias": torch.zeros(10),
        },
        tmp_path / "own.pt",
    )
    words = ("--model", spec, "--data", "digits", "--epochs", 1, "--validation", 0.1)
    with pytest.raises(BadInput, match="a: its activation is a call in the code of Net"):
        take("easier", tmp_path / "own.pt", tmp_path / "out.pt", *words)
    with pytest.raises(BadInput, match="--drop 2"):
        take("easier", tmp_path / "own.pt", tmp_path / "out.pt", "--drop", 2)


@pytest.mark.parametrize("name", sorted(architectures()))
def test_every_activation_of_the_zoo_is_a_module(name):
    torch.manual_seed(0)
    model = parse_architecture(name).build((1, 8, 8), 10).eval()
    found, others = activation_modules(model, torch.zeros(1, 1, 8, 8))
    assert found
    assert not others


def test_the_longest_path_of_a_residual_network():
    model = parse_architecture("resnet20:width=4").build((1, 8, 8), 10)
    assert critical_path(model, torch.zeros(1, 1, 8, 8)) == {"layers": 20, "activations": 19}


def test_easier_names_the_first_of_equals():
    assert Easier().next({"a": 0.3, "b": 0.3}) == ["a"]
