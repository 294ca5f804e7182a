"""`minima.train --download` by a stand-in for torchvision: what is fetched, when nothing is, and what is said."""

import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from oracles.data_on_disk import write_cifar, write_mnist

from minima.store.command import BadInput
from minima.train import main
from minima.zoo.data.downloading import download
from minima.zoo.data.specs import load_data, resolve_data
from minima.zoo.training.flags import Train

WRITERS = {
    "mnist": ("MNIST", write_mnist),
    "fashion-mnist": ("FashionMNIST", partial(write_mnist, folder="FashionMNIST", packed=True)),
    "cifar10": ("CIFAR10", partial(write_cifar, name="cifar10")),
    "cifar100": ("CIFAR100", partial(write_cifar, name="cifar100")),
}


@pytest.fixture(autouse=True)
def fetched(monkeypatch):
    """torchvision where it is not installed; what it was asked for."""
    asked = []

    def fetcher(called, write):
        def fetch(*, root, train, download):
            assert train
            assert download
            print("Downloading", called)
            asked.append(called)
            write(Path(root))

        return fetch

    torchvision = ModuleType("torchvision")
    torchvision.datasets = ModuleType("torchvision.datasets")
    for called, write in WRITERS.values():
        setattr(torchvision.datasets, called, fetcher(called, write))
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    return asked


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_missing_is_fetched_once_in_the_layout_that_is_read(tmp_path, fetched, capsys, name):
    data = resolve_data(f"{name}:labels=random", tmp_path)
    for _ in range(2):
        download(data)
    assert fetched == [WRITERS[name][0]]
    assert len(load_data(data).x_train) > 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"Downloading {fetched[0]}\n")


@pytest.mark.parametrize("name", WRITERS)
def test_any_file_that_is_gone_is_fetched_again(tmp_path, name):
    class Asked(Exception):
        pass

    def ask(**_):
        raise Asked

    data, (called, write) = resolve_data(name, tmp_path), WRITERS[name]
    write(tmp_path)
    setattr(sys.modules["torchvision"].datasets, called, ask)
    download(data)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BadInput, match="Asked"):
            download(data)
        path.write_bytes(content)


def test_training_downloads_only_when_it_is_told_to(tmp_path, fetched):
    told = {"model": "mlp:hidden=2", "data": "mnist", "data_root": tmp_path, "epochs": 1, "validation": 0.0}
    with pytest.raises(BadInput, match="is missing"):
        main(Train(out=str(tmp_path / "x.pt"), **told))
    assert not fetched
    first = main(Train(out=str(tmp_path / "x.pt"), download=True, **told)).summary
    again = main(Train(out=str(tmp_path / "x.pt"), **told)).summary
    assert (first["reused"], again["reused"], fetched) == (False, True, ["MNIST"])
    further = main(Train(out=str(tmp_path / "y.pt"), start=(tmp_path / "x.pt",), download=True, epochs=1)).summary
    assert (further["epochs"], fetched) == (1, ["MNIST"])


def test_what_cannot_be_fetched_is_refused(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match=r"digits is not among .* cifar10, cifar100, fashion-mnist, mnist"):
        download(resolve_data("digits"))

    def fail(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(sys.modules["torchvision"].datasets, "CIFAR10", fail)
    with pytest.raises(BadInput, match=rf"(?s)cifar10 \(OSError: no route to host\).*{tmp_path}") as refused:
        download(resolve_data("cifar10", tmp_path))
    assert str(refused.value).count("\n") <= 2


@pytest.mark.parametrize("error", ["ImportError", "RuntimeError"])
def test_without_torchvision_it_says_what_to_type(tmp_path, monkeypatch, error):
    monkeypatch.delitem(sys.modules, "torchvision")
    (tmp_path / "torchvision.py").write_text(f"raise {error}('operator torchvision::nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match=r"(?s)^--download: torchvision .*nms does not exist.*pip install .*\[vision\]"):
        download(resolve_data("mnist", tmp_path))
    write_mnist(tmp_path)
    download(resolve_data("mnist", tmp_path))
