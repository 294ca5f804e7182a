"""Barriers of several pairs: siblings by the epochs they share, successive levels of pruning."""

import h5py
import numpy as np
import pytest

from minima.train import main as train
from minima.zoo.training.flags import Train

FLAGS = ["--samples", 100, "--points", 5]


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """A network and its siblings: `k-order.pt`, trained on from its epoch k in another order each."""
    folder = tmp_path_factory.mktemp("family")
    small = {"model": "mlp:hidden=8", "epochs": 2}
    train(Train(**small, weights_at=(0, 1), out=str(folder / "net.pt")))
    train(Train(**small, order_seed=3, out=str(folder / "fresh.pt")))
    train(Train(epochs=2, start=(folder / "net.pt",), out=str(folder / "on.pt")))
    train(Train(epochs=2, start=(folder / "net.pt",), order_seed=3, out=str(folder / "on-3.pt")))
    for epoch in (0, 1):
        for order in (1, 2):
            further = Train(epochs=2 - epoch, start=(folder / "net.pt",), from_epoch=epoch, order_seed=order, out="")
            train(Train(**(vars(further) | {"out": str(folder / f"{epoch}-{order}.pt")})))
    return folder


def test_instability_is_each_pairs_path(command, family, tmp_path):
    pairs = [(family / f"{epoch}-1.pt", family / f"{epoch}-2.pt") for epoch in (1, 0)]
    pairs.append((family / "net.pt", family / "fresh.pt"))  # the same initial weights
    named = [path for pair in pairs for path in pair]
    status, found, _ = command("instability", *named, *FLAGS, "-o", tmp_path / "x.h5")
    assert status == 0
    assert found["shared_epochs"] == [1, 0, 0]
    for index, pair in enumerate(pairs):
        _, path, _ = command("path", *pair, *FLAGS, "-o", tmp_path / f"{index}.h5")
        assert path["losses"] == found["losses"][index]
        assert path["barrier"]["error"] == found["barrier"]["error"][index]
        assert path["gradient_norm"] == found["gradient_norm"][index]
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["instability/shared_epochs"][()].tolist() == [1, 0, 0]
        assert file["instability/barrier_loss"][()].tolist() == found["barrier"]["loss"]
        assert file["instability/loss"].shape == (3, 5)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("0-1", "1-1"), "same weights: they differ in epoch"),
        (("net", "0-1"), "they differ in parent"),
        (("0-1", "0-1"), "same order"),
        (("on", "on-3"), "not from an epoch"),
        (("0-1",), "come in pairs"),
    ],
)
def test_what_are_no_siblings(command, family, tmp_path, names, said):
    status, _, err = command("instability", *(family / f"{name}.pt" for name in names), "-o", tmp_path / "x.h5")
    assert status == 1
    assert said in err
    assert err.count("\n") <= 3


def test_successive_levels_above_their_siblings(command, another, tmp_path):
    levels = [another(f"{index}.pt", sparsity=0.2 * index, seed=index) for index in range(3)]
    siblings = [another(f"s{seed}.pt", sparsity=0.5, seed=seed) for seed in (7, 8)]
    status, found, _ = command("successive", *levels, *siblings, "--siblings", *FLAGS, "-o", tmp_path / "x.h5")
    assert status == 0
    pairs = [levels[:2], levels[1:], siblings]
    singly = [command("path", *pair, *FLAGS, "-o", tmp_path / f"{n}.h5")[1] for n, pair in enumerate(pairs)]
    heights = np.array([path["barrier"]["loss"] for path in singly])
    np.testing.assert_array_equal(found["barrier"]["loss"], heights)
    np.testing.assert_array_equal(found["above_siblings"]["loss"], heights - heights[-1])
    assert found["sibling_barrier"]["loss"] == heights[-1]
    assert found["sparsities"][:2] == pytest.approx([0.2, 0.4], abs=0.01)
    _, alone, _ = command("successive", *levels, *FLAGS, "-o", tmp_path / "y.h5")
    assert alone["barrier"]["loss"] == found["barrier"]["loss"][:2]
    assert alone["sibling_barrier"] is None
    assert "expected 4" in command("successive", *levels, "--siblings", "-o", tmp_path / "z.h5")[2]


def test_a_stopped_run_goes_on_at_its_pair(command, family, tmp_path, monkeypatch):
    from landscape.path import pairs

    named = [family / f"{epoch}-{order}.pt" for epoch in (0, 1) for order in (1, 2)]
    _, whole, _ = command("instability", *named, *FLAGS, "-o", tmp_path / "whole.h5")
    walked = []

    def once(arc, *rest, **named):
        walked.append(arc)
        if len(walked) == 2:
            raise KeyboardInterrupt
        return levels(arc, *rest, **named)

    levels = pairs.levels
    monkeypatch.setattr(pairs, "levels", once)
    assert command("instability", *named, *FLAGS, "-o", tmp_path / "x.h5")[0] == 130
    _, resumed, _ = command("instability", *named, *FLAGS, "-o", tmp_path / "x.h5")
    assert len(walked) == 3  # the first pair was walked once
    assert resumed["losses"] == whole["losses"]
