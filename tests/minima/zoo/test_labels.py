"""`:labels=random` behind any data: labels dealt out anew, images and test split as they were."""

import numpy as np
import pytest
import torch

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.train import main
from minima.zoo.data.specs import inherited, load_data, resolve_data
from minima.zoo.training.flags import Train


def some(spec):
    return load_data(resolve_data(spec))


@pytest.mark.parametrize("base", ["digits", "digits:classes=3,7"])
def test_the_train_labels_are_permuted_and_nothing_else(base):
    plain, random = some(base), some(f"{base}:labels=random")
    assert torch.equal(random.x_train, plain.x_train)
    assert torch.equal(random.x_test, plain.x_test)
    assert torch.equal(random.y_test, plain.y_test)
    assert torch.equal(random.y_train.bincount(), plain.y_train.bincount())
    assert random.classes == plain.classes
    agreement = (random.y_train == plain.y_train).double().mean().item()
    assert agreement == pytest.approx(1 / plain.classes, abs=0.1)
    assert torch.equal(some(f"{base}:labels=random").y_train, random.y_train)


def test_one_spec_for_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = np.arange(10, dtype=np.float32)[:, None], np.arange(10) % 5
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    entry = resolve_data("npz:d.npz:classes=3,1:labels=random")
    assert entry["spec"] == f"npz:{tmp_path / 'd.npz'}:classes=1,3:labels=random"
    assert sorted(load_data(entry).y_train.tolist()) == [0, 0, 1, 1]
    with pytest.raises(BadInput, match="Leave --data out"):
        inherited(entry, "npz:d.npz:classes=1,3", None, tmp_path)


@pytest.mark.parametrize(
    "spec", ["digits:labels=true", "digits:labels=random:classes=0-4", "digits:labels=", "digits:labels=random:1.5"]
)
def test_other_labels_are_refused(spec):
    with pytest.raises(BadInput, match="expected labels=random at the end"):
        resolve_data(spec)


def test_a_checkpoint_remembers_them(tmp_path):
    out = tmp_path / "random.pt"
    main(Train(out=str(out), model="mlp:hidden=4", data="digits:labels=random", epochs=1))
    assert load(out).data["spec"] == "digits:labels=random"


def test_a_share_of_the_labels():
    """A fifth of the examples give their labels and get them back in another order; the others keep theirs."""
    plain, noisy = load_data(resolve_data("digits")), load_data(resolve_data("digits:labels=random:0.2"))
    changed = plain.y_train != noisy.y_train
    assert 0.15 < changed.float().mean() < 0.2, "nine tenths of a fifth get another label"
    assert torch.equal(plain.y_train.bincount(), noisy.y_train.bincount())
    assert torch.equal(plain.x_train, noisy.x_train)
    assert torch.equal(plain.y_test, noisy.y_test)
