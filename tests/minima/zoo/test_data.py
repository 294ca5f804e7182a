"""Datasets by name, from disk to normalised tensors, and what is said when they are not there."""

import numpy as np
import pytest
import torch
from oracles.data_on_disk import write_mnist
from sklearn.datasets import load_digits

from minima.store.command import BadInput
from minima.zoo.data.specs import inherited, load_data, resolve_data


def test_digits_are_scaled_and_split_by_the_contract():
    dataset = load_data(resolve_data("digits"))
    images, labels = load_digits(return_X_y=True)
    assert dataset.x_test.shape == (360, 1, 8, 8)
    assert dataset.x_train.shape == (1437, 1, 8, 8)
    assert torch.equal(dataset.x_test[2, 0], torch.tensor(images[10] / 16).float().view(8, 8))
    assert dataset.y_test.tolist() == labels[::5].tolist()
    assert dataset.y_train[:5].tolist() == labels[[1, 2, 3, 4, 6]].tolist()


@pytest.mark.parametrize("packed", [False, True])
def test_mnist_layout_plain_and_gzipped(tmp_path, packed):
    arrays = write_mnist(tmp_path, packed=packed)
    dataset = load_data(resolve_data("mnist", tmp_path))
    expected = (arrays["t10k", "images-idx3"][1] / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(dataset.x_test[1, 0].numpy(), expected, atol=1e-6)
    assert dataset.y_train.tolist() == [0, 1, 2, 0, 1, 2]
    assert dataset.classes == 3


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    write_mnist(tmp_path, folder="FashionMNIST")
    monkeypatch.setenv("DATA_ROOT", str(tmp_path))
    resolved = resolve_data("fashion-mnist")
    assert resolved["root"] == str(tmp_path)
    assert len(load_data(resolved).x_train) == 6


def test_absent_data_says_what_to_put_where(tmp_path):
    with pytest.raises(BadInput, match=r"(?s)train-images-idx3-ubyte is missing.*--data-root"):
        load_data(resolve_data("mnist", tmp_path))


def test_truncated_idx_is_named(tmp_path):
    write_mnist(tmp_path)
    path = tmp_path / "MNIST/raw/train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(BadInput, match="truncated"):
        load_data(resolve_data("mnist", tmp_path))


@pytest.mark.parametrize(
    ("shape", "expected"), [((5, 6, 6), (1, 6, 6)), ((5, 6, 6, 3), (3, 6, 6)), ((5, 6, 6, 1), (1, 6, 6))]
)
def test_npz_of_uint8_images(tmp_path, shape, expected):
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    y = np.arange(5)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    dataset = load_data(resolve_data(f"npz:{tmp_path / 'd.npz'}"))
    assert dataset.input_shape == expected
    assert dataset.x_train[0, -1, 2, 3].item() == pytest.approx(x[0, 2, 3].flat[-1] / 255)


def test_float_input_is_normalised_as_given(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float64)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(5), x_test=x, y_test=np.arange(5))
    dataset = load_data(resolve_data(f"npz:{tmp_path / 'd.npz'}", mean=(1.0,), std=(2.0,)))
    np.testing.assert_allclose(dataset.x_test.numpy(), (x - 1) / 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y_train": np.zeros(3, int)}, "5 examples but y_train 3"),
        ({"x_train": np.full((5, 4), np.nan, np.float32)}, "NaN"),
        ({"y_train": np.array(list("abcde"))}, "expected numbers"),
        ({"y_train": np.zeros(5)}, "targets of the two splits differ"),
        ({"x_test": np.zeros((5, 3), np.float32)}, "differ in shape"),
        ({"x_train": np.zeros((5, 4), complex)}, "dtype complex128"),
    ],
)
def test_bad_arrays_are_named(tmp_path, change, said):
    good = {f"x_{s}": np.zeros((5, 4), np.float32) for s in ("train", "test")} | {
        f"y_{s}": np.arange(5) for s in ("train", "test")
    }
    np.savez(tmp_path / "d.npz", **(good | change))
    with pytest.raises(BadInput, match=said):
        load_data(resolve_data(f"npz:{tmp_path / 'd.npz'}"))


def test_an_npz_that_is_none(tmp_path):
    (tmp_path / "d.npz").write_text("hello")
    with pytest.raises(BadInput, match="not a readable"):
        load_data(resolve_data(f"npz:{tmp_path / 'd.npz'}"))


def test_a_factory_runs_only_when_the_user_names_it(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\n"
        "def make():\n"
        "    x = np.ones((4, 3), np.float32)\n"
        "    return x, np.arange(4), x, np.arange(4)\n"
    )
    data = resolve_data(f"{path}:make")
    with pytest.raises(BadInput, match="--data"):
        load_data(data)
    assert load_data(data, run_code=True).classes == 4


def test_a_factory_that_fails_is_named(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def make():\n    raise KeyError('lost')\n")
    with pytest.raises(BadInput, match=r"make\(\) failed: KeyError"):
        load_data(resolve_data(f"{path}:make"), run_code=True)


def test_unknown_data_lists_what_there_is():
    with pytest.raises(BadInput, match="digits, fashion-mnist, mnist"):
        resolve_data("imagenet")


def test_a_child_may_only_repeat_its_parents_data_and_takes_the_file_as_it_is(tmp_path):
    x, y = np.zeros((4, 3), np.float32), np.arange(4)
    path = tmp_path / "d.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    parents = resolve_data(f"npz:{path}")
    np.savez(path, x_train=x + 1, y_train=y, x_test=x, y_test=y)
    with pytest.raises(BadInput, match="has changed"):
        load_data(inherited(parents, None, None, path))
    assert load_data(inherited(parents, f"npz:{path}", None, path)).x_train.min() == 1
    with pytest.raises(BadInput, match="Leave --data out"):
        inherited(parents, "digits", None, path)
