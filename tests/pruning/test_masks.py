"""`python -m pruning.masks`, overlap of masks and cost of training: against counting by hand and enumeration."""

import itertools
import json

import h5py
import numpy as np
import pytest
import torch
import tyro

from minima.store.checkpoints.checkpoint import Checkpoint, load
from pruning.masks.__main__ import main
from pruning.masks.flags import Masks
from pruning.masks.overlap import overlap
from pruning.masks.training_cost import training_cost

WEIGHTS = 64 * 12 + 12 * 10


@pytest.fixture
def masks():
    """masks("--flag", value, ...) -> the report."""
    return lambda *words: main(tyro.cli(Masks, args=[str(word) for word in words]))


@pytest.fixture(scope="module")
def pruned(dense, tmp_path_factory):
    """Three checkpoints: two random masks of the same sparsity, and magnitude."""
    from pruning.composition.method import methods
    from pruning.running.arguments import arguments_of
    from pruning.running.command import main as prune

    folder, made = tmp_path_factory.mktemp("pruned"), []
    for method, seed in (("random", 0), ("random", 1), ("magnitude", 0)):
        made.append(folder / f"{method}{seed}.pt")
        words = [dense, "--sparsity", 0.9, "--epochs", 1, "--seed", seed, "-o", made[-1]]
        prune(tyro.cli(arguments_of(methods()[method]), args=list(map(str, words))))
    return made


def test_counts_are_those_of_the_masks(masks, pruned, tmp_path):
    report = masks(pruned[0], "-o", tmp_path / "x.h5")
    found, checkpoint = report.summary, load(pruned[0])
    first, second = (mask.numpy() for mask in checkpoint.masks.values())
    live = first.any(1) & second.any(0)  # hidden units with a weight on either side
    reachable = int(first[live].sum() + second[:, live].sum())
    assert (found["total"], found["kept"]) == (WEIGHTS, int(first.sum() + second.sum()))
    assert found["reachable"] == reachable
    assert found["effective_sparsity"] == 1 - reachable / WEIGHTS > found["sparsity"]
    assert found["layers"][0]["disconnected"] == 12 - live.sum()
    assert found["multiply_adds"] == WEIGHTS  # a perceptron uses every weight once
    assert found["multiply_adds_reachable"] == reachable
    assert found["accuracy"] == checkpoint.metrics["test"]["accuracy"]
    assert f"{reachable:,}" in report.table
    with h5py.File(tmp_path / "x.h5") as file:
        (name, *_) = checkpoint.masks
        bits = np.unpackbits(file[f"masks/{name}/kept"][()], count=first.size)
        assert np.array_equal(bits.reshape(first.shape), first)
        assert np.array_equal(file[f"masks/{name}/fed"][()], first.any(1))


def test_an_empty_layer_is_named_and_everything_behind_it_cut_off(masks, dense, tmp_path):
    from dataclasses import replace

    from minima.store.checkpoints.checkpoint import save

    checkpoint = load(dense)
    names = [name for name, value in checkpoint.state.items() if value.ndim == 2]
    state = checkpoint.state | {names[1]: torch.zeros_like(checkpoint.state[names[1]])}
    empty = {names[1]: torch.zeros_like(state[names[1]], dtype=torch.bool)}
    save(replace(checkpoint, state=state, masks=empty), tmp_path / "empty.pt")
    found = masks(tmp_path / "empty.pt").summary
    assert found["empty_layers"] == [names[1]]
    assert (found["reachable"], found["effective_sparsity"]) == (0, 1)
    assert found["disconnected"] == 22


def test_a_foreign_checkpoint_has_masks_too(masks, tmp_path):
    state = {"0.weight": torch.eye(8, 64), "0.bias": torch.ones(8), "2.weight": torch.ones(10, 8)}
    torch.save(state | {"2.bias": torch.ones(10)}, tmp_path / "foreign.pt")
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self): super().__init__(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))\n"
        "    def forward(self, x): return super().forward(x.flatten(1))\n"
    )
    found = masks(tmp_path / "foreign.pt", "--model", f"{tmp_path}/net.py:Net", "--data", "digits").summary
    assert [layer["kept"] for layer in found["layers"]] == [8, 80]
    assert (found["reachable"], found["disconnected"], found["training_multiply_adds"]) == (88, 0, None)


def test_overlap_of_checkpoints(masks, pruned, tmp_path):
    found = masks(*pruned, "-o", tmp_path / "x.h5").summary
    flat = [np.concatenate([mask.numpy().ravel() for mask in load(path).masks.values()]) for path in pruned]
    expected = [[(a & b).sum() / (a | b).sum() for b in flat] for a in flat]
    assert np.allclose(found["jaccard"], expected)
    assert abs(found["excess"][0][1]) < 4 < found["excess"][2][2]
    with h5py.File(tmp_path / "x.h5") as file:
        assert np.allclose(file["masks/jaccard"][()], expected)
        assert file["masks/jaccard_by_layer"].shape == (3, 3, 2)
        assert json.loads(file.attrs["summary"])[0]["jaccard"] == found["jaccard"][0]


def test_expected_overlap_is_that_of_all_masks_of_these_counts():
    def every(total, kept):
        return [np.isin(np.arange(total), chosen) for chosen in itertools.combinations(range(total), kept)]

    first = {"a": np.arange(6) < 2, "b": np.arange(4) < 3}
    drawn = [overlap(first, {"a": a, "b": b}) for a in every(6, 3) for b in every(4, 2)]
    both = np.array([each.both.sum() for each in drawn])
    assert both.mean() == pytest.approx(drawn[0].expected.sum())
    assert both.var() == pytest.approx(drawn[0].variance.sum())
    assert np.mean([each.excess() for each in drawn]) == pytest.approx(0)
    assert np.isnan(overlap({"a": first["a"] & False}, {"a": first["a"] & False}).jaccard())


def test_cost_of_training_counts_every_step_at_its_density():
    cuts = [{"epoch": 1.0, "survivors": 50}, {"epoch": 2.5, "survivors": 10}]
    checkpoint = Checkpoint(
        model={}, data={}, state={}, training={"epochs": 4, "validation": 0.1}, metrics={"epochs": 4.0, "cuts": cuts}
    )
    cost = training_cost(checkpoint, examples=20, multiply_adds=1000, total=100)
    per_epoch = 3 * 1000 * 18
    assert cost.dense == 4 * per_epoch
    assert cost.by_density == pytest.approx((1 + 1.5 * 0.5 + 1.5 * 0.1) * per_epoch)


def test_cost_of_a_pruned_parent_begins_at_its_density(prune, pruned, tmp_path, masks):
    """The second run starts at 90 % and cuts to 95 % at once; training on with a frozen mask stays where it is."""
    prune("magnitude", pruned[2], "--sparsity", 0.95, "--epochs", 2, "-o", tmp_path / "x.pt")
    assert load(tmp_path / "x.pt").metrics["initial_sparsity"] == pytest.approx(0.9, abs=1e-3)
    cost = masks(tmp_path / "x.pt").summary["training_multiply_adds"]
    kept = int(sum(mask.sum() for mask in load(tmp_path / "x.pt").masks.values()))
    assert cost["by_density"] / cost["dense"] == pytest.approx(kept / WEIGHTS)
    assert cost["dense"] == 3 * WEIGHTS * 2 * (1437 - 144)
