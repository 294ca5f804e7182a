"""Some of the classes of any data: labels counted from 0 again, and what is said of classes that are none."""

import numpy as np
import pytest
import torch

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.train import main
from minima.zoo.data.specs import inherited, load_data, resolve_data
from minima.zoo.training.flags import Train


def some(spec, **rest):
    return load_data(resolve_data(spec, **rest), run_code=True)


def write_npz(path):
    """Ten examples of classes 0 to 4 in train, of 0 to 3 in test; the input is the example's number."""
    x = np.arange(10, dtype=np.float32)[:, None]
    np.savez(path, x_train=x, y_train=np.arange(10) % 5, x_test=x, y_test=np.arange(10) % 4)
    return path


@pytest.mark.parametrize(("typed", "classes"), [("5-9", range(5, 10)), ("0,2,4", (0, 2, 4)), ("4,0,2", (0, 2, 4))])
def test_digits_keep_their_order_and_count_from_zero(typed, classes):
    every, kept = some("digits"), some(f"digits:classes={typed}")
    assert kept.classes == len(classes)
    for split in ("train", "test"):
        x, y = every.split(split)
        chosen = [i for i, label in enumerate(y.tolist()) if label in classes]
        assert torch.equal(kept.split(split)[0], x[chosen])
        assert kept.split(split)[1].tolist() == [list(classes).index(y[i]) for i in chosen]


def test_both_halves_are_the_whole():
    halves = [some("digits:classes=0-4"), some("digits:classes=5-9")]
    assert sum(len(half.x_train) for half in halves) == 1437
    assert sum(len(half.x_test) for half in halves) == 360


def test_a_file_and_code(tmp_path):
    npz = write_npz(tmp_path / "d.npz")
    (tmp_path / "mine.py").write_text(
        f"import numpy as np\ndef make():\n    d = np.load({str(npz)!r})\n    return {{k: d[k] for k in d.files}}\n"
    )
    for spec in (f"npz:{npz}:classes=1,3", f"{tmp_path / 'mine.py'}:make:classes=1,3"):
        kept = some(spec)
        assert kept.x_train.flatten().tolist() == [1, 3, 6, 8]
        assert kept.y_train.tolist() == [0, 1, 0, 1]
    with pytest.raises(BadInput, match="--data"):
        load_data(resolve_data(spec))


def test_one_spec_however_it_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path / "d.npz")
    entry = resolve_data("npz:d.npz:classes=3,1,2")
    assert entry["spec"] == f"npz:{tmp_path / 'd.npz'}:classes=1-3"
    assert entry == resolve_data(f"npz:{tmp_path / 'd.npz'}:classes=1-3")
    assert entry["sha256"]
    assert inherited(entry, "npz:d.npz:classes=1,2-3", None, tmp_path)["spec"] == entry["spec"]
    with pytest.raises(BadInput, match="Leave --data out"):
        inherited(entry, "npz:d.npz", None, tmp_path)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("digits:classes=8-11", "no class 10-11. The data has the classes 0-9"),
        ("digits:classes=", "expected classes such as 0-4"),
        ("digits:classes=a", "found 'a'"),
        ("digits:classes=4-0", "Type 0-4"),
        ("nothing:classes=0-4", "there is no such data"),
        ("npz:d.npz:classes=4", "the test split has no example"),
        ("npz:d.npz:classes=5", "no class 5"),
        ("npz:other.npz:classes=0-4", "other.npz: there is no such file"),
    ],
)
def test_classes_that_are_none(spec, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path / "d.npz")
    with pytest.raises(BadInput, match=said):
        some(spec)


def test_a_checkpoint_remembers_them(tmp_path):
    out = tmp_path / "half.pt"
    main(Train(out=str(out), model="mlp:hidden=4", data="digits:classes=5-9", epochs=1))
    checkpoint = load(out)
    assert checkpoint.data["spec"] == "digits:classes=5-9"
    assert checkpoint.model["classes"] == 5
    assert checkpoint.metrics["test"]["samples"] == len(some("digits:classes=5-9").x_test)
