"""CIFAR-10 and CIFAR-100 in their published pickles, of which nothing is run."""

import os
import pickle
import sys

import numpy as np
import pytest
from oracles.data_on_disk import LAYOUT, write_cifar

from minima.store.command import BadInput
from minima.zoo.data.pickled import read_pickle
from minima.zoo.data.specs import load_data, resolve_data

PYTHON2 = (
    "(dp0\nS'data'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\ntp6\nRp7\n"
    "(I1\n(I2\nI3\ntp8\ncnumpy\ndtype\np9\n(S'u1'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'|'\np13\nNNNI-1\nI-1\nI0\ntp14\nb"
    "I00\nS'\\x00\\x01\\x80\\xff\\x04\\x05'\np15\ntp16\nbsS'labels'\np17\n(lp18\nI3\naI5\nas."
)
"""{'data': uint8 of shape (2, 3), 'labels': [3, 5]} in protocol 0, as Python 2 and numpy 1 wrote it"""


class Evil:
    """Runs code when a careless reader unpickles it."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("name", LAYOUT)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_images_and_labels_come_in_the_order_of_the_files(tmp_path, name, protocol):
    written = write_cifar(tmp_path, name, protocol)
    _, labels, files = LAYOUT[name]
    entry = resolve_data(name, tmp_path)
    dataset = load_data(entry)
    *train, test = files
    assert dataset.y_train.tolist() == [label for file in train for label in written[file][labels]]
    assert dataset.y_test.tolist() == written[test][labels]
    first = written[test][b"data"][0].reshape(3, 32, 32)  # planes: red, green, blue
    mean, std = (np.array(entry[key]).reshape(3, 1, 1) for key in ("mean", "std"))
    np.testing.assert_allclose(dataset.x_test[0].numpy(), (first / 255 - mean) / std, atol=1e-5)
    assert dataset.input_shape == (3, 32, 32)


def test_the_defaults_are_those_of_the_contract():
    assert resolve_data("cifar10")["mean"] == [0.4914, 0.4822, 0.4465]
    assert resolve_data("cifar10")["std"] == [0.2470, 0.2435, 0.2616]


def test_a_pickle_of_python_2(tmp_path):
    (tmp_path / "old").write_text(PYTHON2)
    found = read_pickle(tmp_path / "old")
    assert found["data"].tolist() == [[0, 1, 128], [255, 4, 5]]
    assert found["labels"] == [3, 5]
    careless = pickle.loads(PYTHON2.encode(), encoding="latin1")
    assert np.array_equal(careless["data"], found["data"])


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("kind", ["<i8", ">i4", "<f4", "?"])
def test_arrays_of_other_kinds_by_columns_and_scalars(tmp_path, protocol, kind):
    array = np.asfortranarray(np.arange(6).reshape(2, 3).astype(kind))
    (tmp_path / "x").write_bytes(pickle.dumps({"a": array, "b": [np.int64(7)]}, protocol=protocol))
    found = read_pickle(tmp_path / "x")
    assert np.array_equal(found["a"], array)
    assert found["b"] == [7]


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, protocol):
    write_cifar(tmp_path, "cifar100")
    path = tmp_path / "cifar-100-python" / "train"
    path.write_bytes(pickle.dumps({b"data": Evil(f"touch {tmp_path / 'ran'}")}, protocol=protocol))
    with pytest.raises(BadInput, match=r"cifar-100-python/train would run code .*\.system"):
        load_data(resolve_data("cifar100", tmp_path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "named",
    [
        "builtins\neval",
        "builtins\ngetattr",
        "numpy\nload",
        "numpy.core.multiarray\nfromfile",
        "minima.zoo.data.pickled\npickle",
    ],
)
def test_only_the_names_of_arrays_mean_anything(tmp_path, named):
    (tmp_path / "x").write_text(f"c{named}\n(S'print(1)'\ntR.")
    with pytest.raises(BadInput, match="would run code"):
        read_pickle(tmp_path / "x")


def test_a_pickle_cannot_import_a_codec(tmp_path):
    (tmp_path / "x").write_text("c_codecs\nencode\n(Vabc\nVidna\ntR.")
    before = set(sys.modules)
    with pytest.raises(BadInput, match="holds b'abc', expected a dictionary"):
        read_pickle(tmp_path / "x")
    assert set(sys.modules) == before


def test_arrays_of_objects_are_refused(tmp_path):
    (tmp_path / "x").write_bytes(pickle.dumps({"a": np.array([{}, []], dtype=object)}))
    with pytest.raises(BadInput, match="kind O8, expected numbers"):
        read_pickle(tmp_path / "x")


@pytest.mark.parametrize("kept", [0, 1, 100, 3000, -1])
def test_a_truncated_file_is_named(tmp_path, kept):
    write_cifar(tmp_path, "cifar10")
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadInput, match=r"data_batch_3 is truncated or damaged"):
        load_data(resolve_data("cifar10", tmp_path))


def test_a_batch_that_is_missing_is_named(tmp_path):
    write_cifar(tmp_path, "cifar10")
    (tmp_path / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(BadInput, match=r"(?s)data_batch_4 is missing.*cifar-10-python\.tar\.gz"):
        load_data(resolve_data("cifar10", tmp_path))


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (
            {b"data": np.zeros((2, 7), np.uint8), b"fine_labels": [0, 1]},
            r"data is uint8 numbers of shape \(2, 7\), expected uint8 rows of 3072 values",
        ),
        ({b"data": np.zeros((2, 3072)), b"fine_labels": [0, 1]}, "data is float64 numbers"),
        ({b"fine_labels": [0, 1]}, "has no data, expected uint8 rows"),
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1]}, "has no fine_labels, expected whole numbers"),
        (
            {b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": [0]},
            "is a list of 1, expected 2 labels",
        ),
        (
            {b"data": np.zeros((2, 3072), np.uint8), b"fine_labels": ["a", "b"]},
            "is a list of 2, expected whole numbers",
        ),
        ([1, 2], "holds a list of 2, expected a dictionary"),
    ],
)
def test_a_batch_of_another_make_says_what_was_expected(tmp_path, batch, said):
    write_cifar(tmp_path, "cifar100")
    (tmp_path / "cifar-100-python" / "train").write_bytes(pickle.dumps(batch))
    with pytest.raises(BadInput, match=said):
        load_data(resolve_data("cifar100", tmp_path))
