"""`python -m pruning.collapse`: against ranks by hand, every count in turn, and `python -m pruning`."""

import json
import math
from dataclasses import replace

import h5py
import pytest
import torch
import tyro
from hypothesis import given
from hypothesis import strategies as st

from minima.store.checkpoints.checkpoint import load, save
from minima.store.command import BadInput
from minima.train import main as train
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train
from pruning.collapse.__main__ import main
from pruning.collapse.critical import critical, cutter
from pruning.collapse.flags import Collapse, named

LAYERS, WEIGHTS = 3, 64 * 2 + 2 * 2 + 2 * 10
ONE_SHOT = ("magnitude", "random", "snip", "grasp")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Two networks after no epoch, of seeds 0 and 1."""
    paths = [tmp_path_factory.mktemp("fresh") / f"{seed}.pt" for seed in (0, 1)]
    for seed, path in enumerate(paths):
        words = ["--model", "mlp:hidden=2x2", "--epochs", "0", "--seed", str(seed), "-o", str(path)]
        train(tyro.cli(Train, args=words))
    return paths


def collapse(*words):
    return main(tyro.cli(Collapse, args=[str(word) for word in words])).summary


@given(st.integers(2, 5).flatmap(lambda layers: st.permutations([*range(layers)] * 3)))
def test_a_layer_is_empty_while_no_more_are_kept_than_rank_before_its_first(order):
    firsts = {layer: order.index(layer) for layer in sorted(set(order))}
    last = max(firsts, key=firsts.get)
    found = critical(lambda kept: {layer: order[:kept].count(layer) for layer in firsts}, dict.fromkeys(firsts, 3))
    assert (found.kept, found.first_empty) == (firsts[last], last)


@pytest.mark.parametrize("method", [*ONE_SHOT, "synflow --rounds 4"])
def test_it_is_the_largest_of_all_counts_with_an_empty_layer(fresh, method):
    """Over the rounds of SynFlow this also says that collapse is monotone here."""
    left = cutter(named(method), load_subject(fresh[0]), seed=0)
    empty = {kept: [name for name, count in left(kept).items() if not count] for kept in range(1, WEIGHTS)}
    kept = max(kept for kept, names in empty.items() if names)
    found = collapse(fresh[0], "--methods", method, "--overwrite")["methods"][method]
    assert (found["kept"], found["first_empty"]) == (kept, empty[kept][0])


@pytest.mark.parametrize("method", [*ONE_SHOT, "synflow --rounds 10"])
def test_pruning_to_there_empties_the_layer_and_to_one_more_none(prune, dense, tmp_path, method):
    found = collapse(dense, "--methods", method, "-o", tmp_path / "x.h5")["methods"][method]
    total, (name, *flags) = 64 * 12 + 12 * 10, method.split()
    for kept, expected in ((found["kept"], [found["first_empty"]]), (found["kept"] + 1, [])):
        words = ["--sparsity", 1 - kept / total, "--epochs", 0, "-o", tmp_path / f"{kept}.pt"]
        prune(name, dense, *flags, *words)
        masks = load(tmp_path / f"{kept}.pt").masks
        assert [layer for layer, mask in masks.items() if not mask.any()] == expected


def test_magnitude_by_ranks_of_the_weights(fresh, tmp_path):
    state = load(fresh[0]).state
    layers = {name: value.abs().flatten() for name, value in state.items() if value.ndim == 2}
    before = {name: int((torch.cat([*layers.values()]) > layer.max()).sum()) for name, layer in layers.items()}
    found = collapse(fresh[0], "--methods", "magnitude", "-o", tmp_path / "x.h5")
    expected = max(before.values())
    assert found["weights"] == WEIGHTS
    assert found["largest_compression"] == pytest.approx(WEIGHTS / LAYERS)
    assert found["methods"]["magnitude"] == {
        "kept": expected,
        "first_empty": max(before, key=before.get),
        "compression": WEIGHTS / expected,
        "log_compression": math.log10(WEIGHTS / expected),
        "must": False,
    }


def test_without_biases_synaptic_flow_leaves_every_layer_a_weight_as_long_as_it_can(fresh, tmp_path):
    found = load(fresh[0])
    bare = {name: value * (not name.endswith("bias")) for name, value in found.weights_at[0].items()}
    save(replace(found, weights_at={0: bare}), tmp_path / "bare.pt")
    report = main(Collapse(checkpoints=(tmp_path / "bare.pt",), methods=("synflow",)))
    found = report.summary["methods"]["synflow"]
    assert (found["kept"], found["must"]) == (LAYERS - 1, True)
    assert found["compression"] == WEIGHTS / (LAYERS - 1)
    assert f"{WEIGHTS / LAYERS:,.6g}" in report.table


def test_checkpoints_side_by_side_each_with_draws_of_its_own(fresh, tmp_path):
    methods = ("random", "magnitude --scope erk")
    found = collapse(*fresh, "--methods", *methods, "-o", tmp_path / "x.h5")
    alone = collapse(fresh[1], "--methods", "random", "--seed", 1, "-o", tmp_path / "y.h5")
    assert found["methods"][1]["random"] == alone["methods"]["random"] != found["methods"][0]["random"]
    assert (found["method_seed"], alone["method_seed"]) == ([0, 1], 1)
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["collapse/method"].asstr()[()].tolist() == list(methods)
        for key in ("kept", "compression", "log_compression", "must"):
            expected = [[own[name][key] for name in methods] for own in found["methods"]]
            assert file[f"collapse/{key}"][()].tolist() == expected
        assert file["collapse/first_empty"].asstr()[1, 0] == alone["methods"]["random"]["first_empty"]
        assert [each["methods"] for each in json.loads(file.attrs["summary"])] == found["methods"]


def test_of_a_sparse_checkpoint_only_what_is_left_is_cut(prune, dense, tmp_path):
    prune("random", dense, "--sparsity", 0.9, "--epochs", 0, "-o", tmp_path / "sparse.pt")
    layers = [load(tmp_path / "sparse.pt").state[name].abs() for name in load(tmp_path / "sparse.pt").masks]
    before = max(int((torch.cat([layer.flatten() for layer in layers]) > own.max()).sum()) for own in layers)
    found = collapse(tmp_path / "sparse.pt", "--methods", "magnitude")
    assert found["weights"] == 64 * 12 + 12 * 10
    assert found["methods"]["magnitude"]["kept"] == before
    with pytest.raises(BadInput, match="begins at the weights of epoch 0, which the file does not hold"):
        collapse(tmp_path / "sparse.pt", "--methods", "snip", "-o", tmp_path / "x.h5")


@pytest.mark.parametrize("method", ["gmp", "granet", "iterative-magnitude", "ice", "sr-ste", "snip-it-during"])
def test_methods_that_train_between_their_cuts_are_refused(method):
    with pytest.raises(BadInput, match=f"--methods '{method}': it trains .*\n.* grasp, magnitude, .* synflow"):
        named(method)


def test_what_cannot_collapse_is_refused(dense, tmp_path):
    with pytest.raises(BadInput, match="--methods 'snap': there is no such method"):
        collapse(dense, "--methods", "snap")
    with pytest.raises(BadInput, match="--rounds 0"):
        collapse(dense, "--methods", "synflow --rounds 0")
    found = load(dense)
    name = next(name for name, value in found.state.items() if value.ndim == 2)
    gone = torch.zeros_like(found.state[name])
    save(replace(found, state=found.state | {name: gone}, masks={name: gone.bool()}), tmp_path / "empty.pt")
    with pytest.raises(BadInput, match=f"{name} has no weight left"):
        collapse(tmp_path / "empty.pt")
