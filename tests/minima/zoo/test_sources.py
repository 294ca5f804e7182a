"""Data of every form: files of arrays, what a factory may return, data sets and loaders; more than memory holds."""

import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from minima.store.command import BadInput
from minima.zoo.data import stored
from minima.zoo.data.conversion import Reading
from minima.zoo.data.dataset import Dataset as OwnDataset
from minima.zoo.data.factories import arrays_of
from minima.zoo.data.preprocessing import to_dataset
from minima.zoo.data.specs import load_data, resolve_data
from minima.zoo.examples.inputs import Several
from minima.zoo.examples.lazy import Lazy

IDS, MASK = np.arange(12).reshape(4, 3), np.ones((4, 3), np.int64)
FLOATS, LABELS = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32), np.array([0, 2, 1, 0])
DICT = {"x_train.input_ids": IDS, "x_train.attention_mask": MASK, "y_train": LABELS}


def write(kind, arrays, folder):
    if kind == "npz":
        np.savez(folder / "d.npz", **arrays)
        return f"npz:{folder / 'd.npz'}"
    if kind == "safetensors":
        save_file({name: torch.tensor(array) for name, array in arrays.items()}, folder / "d.safetensors")
        return f"safetensors:{folder / 'd.safetensors'}"
    (folder / "d").mkdir()
    for name, array in arrays.items():
        np.save(folder / "d" / f"{name}.npy", array)
    return f"npy:{folder / 'd'}"


def made(what, reading=None):
    arrays, notes = arrays_of(what, "mine.py:make")
    dataset = to_dataset(arrays, reading or Reading(), "mine.py:make")
    return dataset, [*notes, *dataset.notes]


@pytest.mark.parametrize("kind", ["npz", "npy", "safetensors"])
def test_files_of_one_split_with_a_dict(kind, tmp_path):
    dataset = load_data(resolve_data(write(kind, DICT, tmp_path)))
    assert torch.equal(dataset.x_train.fields["input_ids"], torch.tensor(IDS))
    assert dataset.x_train.fields["attention_mask"].dtype == torch.int64
    assert dataset.y_train.tolist() == LABELS.tolist()
    with pytest.raises(BadInput, match="--split train"):
        dataset.split("test")


@pytest.mark.parametrize("kind", ["npz", "npy", "safetensors"])
def test_names_without_a_split_are_one(kind, tmp_path):
    arrays = {"input_ids": IDS, "labels": LABELS}
    dataset = load_data(resolve_data(write(kind, arrays, tmp_path)))
    assert list(dataset.x_train.fields) == ["input_ids"]
    assert dataset.y_train.tolist() == LABELS.tolist()
    assert "one split" in dataset.notes[0]
    both = load_data(
        resolve_data(f"{kind}:{tmp_path / 'd'}{'' if kind == 'npy' else f'.{kind}'}", reading={"labels_in": True})
    )
    assert list(both.x_train.fields) == ["input_ids", "labels"]


@pytest.mark.parametrize("kind", ["npz", "npy", "safetensors"])
def test_a_changed_file_is_noticed(kind, tmp_path):
    parents = resolve_data(write(kind, {"x_train": FLOATS, "y_train": LABELS}, tmp_path))
    assert load_data(parents).x_train.shape == (4, 3, 5)
    if kind == "npy":
        np.save(tmp_path / "d" / "y_train.npy", LABELS[::-1].copy())
    else:
        write(kind, {"x_train": FLOATS, "y_train": LABELS[::-1].copy()}, tmp_path)
    with pytest.raises(BadInput, match="has changed"):
        load_data(parents)


@pytest.mark.parametrize(
    ("spec", "said"),
    [("npy:{}/nowhere", "no such folder"), ("npy:{}", "no .npy lies"), ("safetensors:{}/x", "no such file")],
)
def test_absent_files_are_named(spec, said, tmp_path):
    with pytest.raises(BadInput, match=said):
        load_data(resolve_data(spec.format(tmp_path)))


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_a_pointer_in_place_of_the_data_is_told(kind, tmp_path):
    path = tmp_path / f"data.{kind}"
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'5' * 64}\nsize 1234567\n")
    with pytest.raises(BadInput, match=r"(?s)1,234,567 bytes.*git lfs pull"):
        load_data(resolve_data(f"{kind}:{path}"))


def test_a_path_without_its_kind_is_told_what_it_is(tmp_path):
    for kind in ("npz", "npy", "safetensors"):
        spec = write(kind, {"x_train": FLOATS, "y_train": LABELS}, tmp_path)
        with pytest.raises(BadInput, match=f"Type --data {kind}:"):
            resolve_data(spec.partition(":")[2])


PAIR = (FLOATS, LABELS)
X, Y = torch.tensor(FLOATS), torch.tensor(LABELS)


class Items(Dataset):
    """Items that `item` makes of an index."""

    def __init__(self, item, count=4):
        self.item, self.count = item, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.item(index)


ONE = {
    "arrays": PAIR,
    "tensors": (X, Y),
    "names": {"x": FLOATS, "y": LABELS},
    "data set": TensorDataset(X, Y),
    "loader": DataLoader(TensorDataset(X, Y), batch_size=3, shuffle=True, drop_last=True),
    "subset": Subset(TensorDataset(X.repeat(2, 1, 1), Y.repeat(2)), range(4)),
    "sampler": DataLoader(TensorDataset(X.repeat(2, 1, 1), Y.repeat(2)), sampler=SubsetRandomSampler([3, 1, 0, 2])),
    "list": [(FLOATS[i], int(LABELS[i])) for i in range(4)],
    "numpy items": Items(lambda i: (FLOATS[i], LABELS[i])),
}


@pytest.mark.parametrize("name", ONE)
def test_one_split_in_whatever_form(name):
    dataset, notes = made(ONE[name])
    assert torch.equal(dataset.x_train, X)
    assert torch.equal(dataset.y_train, Y)
    assert dataset.x_test is None
    assert any("one split" in each for each in notes)


TWO = {
    "tuple": (*PAIR, FLOATS[:2], LABELS[:2]),
    "pairs": (PAIR, (FLOATS[:2], LABELS[:2])),
    "data sets": (TensorDataset(X, Y), TensorDataset(X[:2], Y[:2])),
    "dict of data sets": {"train": DataLoader(TensorDataset(X, Y)), "test": TensorDataset(X[:2], Y[:2])},
    "dict of pairs": {"train": PAIR, "test": (FLOATS[:2], LABELS[:2])},
    "mapping": {"x_train": X, "y_train": LABELS, "x_test": FLOATS[:2], "y_test": Y[:2]},
}


@pytest.mark.parametrize("name", TWO)
def test_two_splits_in_whatever_form(name):
    dataset, _ = made(TWO[name])
    for found, expected in zip((*dataset.split("train"), *dataset.split("test")), (X, Y, X[:2], Y[:2]), strict=True):
        assert torch.equal(found, expected)


def test_a_dataset_of_our_own_form():
    several = Several({"a": torch.tensor(IDS), "b": X})
    dataset, notes = made(OwnDataset(several, Y, None, None, classes=3, notes=("as they came",)))
    assert torch.equal(dataset.x_train.fields["b"], X)
    assert (dataset.classes, notes) == (3, ["as they came"])


def test_items_with_several_inputs_dicts_and_none():
    dataset, _ = made(Items(lambda i: ((IDS[i], FLOATS[i]), LABELS[i])))
    assert [leaf.dtype for leaf in dataset.x_train.leaves] == [torch.int64, torch.float32]
    dataset, _ = made(Items(lambda i: {"input_ids": IDS[i], "labels": IDS[i]}))
    assert list(dataset.x_train.fields) == ["input_ids"]
    assert dataset.y_train.tolist() == IDS.tolist()
    dataset, _ = made(Items(lambda i: FLOATS[i]))
    assert dataset.y_train is None
    dataset, notes = made(Items(lambda i: (np.full((2, 2, 3), 51 * i, np.uint8), i)))
    assert dataset.x_train.shape == (4, 3, 2, 2)
    assert dataset.x_train[3, 0, 0, 0] == pytest.approx(0.6)
    assert any("divided by 255" in each for each in notes)


def pad(items):
    longest = max(len(x) for x, _ in items)
    rows = [torch.nn.functional.pad(torch.tensor(x), (0, longest - len(x)), value=-1) for x, _ in items]
    return torch.stack(rows), torch.tensor([y for _, y in items])


def test_ragged_items_are_refused_unless_the_collate_pads():
    ragged = Items(lambda i: (list(range(i + 1)), i))
    with pytest.raises(BadInput, match=r"(?s)item 1 has the shapes.*collate_fn"):
        made(Items(lambda i: (torch.arange(i + 1), i)))
    dataset, _ = made(DataLoader(ragged, collate_fn=pad))
    assert dataset.x_train[1].tolist() == [0, 1, -1, -1]


class Stream(IterableDataset):
    def __iter__(self):
        return iter([])


class NoLength(Dataset):
    def __getitem__(self, index):
        return FLOATS[index]


def raising(_):
    raise OSError("gone")


def mix(items):
    share = torch.rand(())
    return share * torch.stack([x for x, _ in items]), torch.stack([y for _, y in items])


BROKEN = FLOATS.copy()
BROKEN[1, 0, :2] = np.nan
REFUSED = {
    "augmented": (Items(lambda _: (torch.randn(3), 0)), "read twice.*transform for evaluation"),
    "augmented by numpy": (Items(lambda _: (np.random.rand(3), 0)), "read twice"),
    "mixed": (DataLoader(TensorDataset(X, Y), collate_fn=mix), "twice are not the same: its collate_fn"),
    "a stream": (Stream(), "Stream is a stream"),
    "a loader of a stream": (DataLoader(Stream()), "Stream is a stream"),
    "no length": (NoLength(), "NoLength has no length"),
    "empty": (Items(raising, 0), "empty"),
    "weighted": (DataLoader(TensorDataset(X, Y), sampler=WeightedRandomSampler([1.0] * 4, 4)), "WeightedRandomSampler"),
    "drawn again": (DataLoader(TensorDataset(X, Y), sampler=RandomSampler(X, replacement=True)), "RandomSampler"),
    "batches": (DataLoader(TensorDataset(X, Y), batch_size=None), "ready-made batches"),
    "failing": (Items(raising), "item 0 cannot be read: OSError: gone"),
    "text": (Items(lambda _: {"text": "a", "labels": 0}), "text"),
    "three parts": (Items(lambda _: (1.0, 2.0, 3.0)), "has 3 parts"),
    "NaN items": (Items(lambda i: (BROKEN[i], 0)), "2 of its values.*example 1"),
    "NaN arrays": ((BROKEN, LABELS), "2 of its values.*example 1"),
    "three things": ((X, Y, X), "3 things"),
    "a number": (3, "returned a int"),
    "two lengths": ((X, Y[:3]), "4 examples but y_train 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    what, said = REFUSED[name]
    with pytest.raises(BadInput, match=f"(?s){said}"):
        made(what)


def test_reading_leaves_the_random_states_alone():
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(2), np.random.rand()
    torch.manual_seed(3)
    np.random.seed(3)
    with pytest.raises(BadInput):
        made(Items(lambda _: (torch.randn(3) + np.random.rand(), 0)))
    assert torch.equal(torch.rand(2), expected[0])
    assert np.random.rand() == expected[1]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", ">i4", "float16", ">f8", "bool"])
def test_numbers_of_every_type(dtype):
    x = (np.arange(20).reshape(4, 5) % 2).astype(dtype)
    dataset, _ = made((x, LABELS))
    kind = np.dtype(dtype).kind
    assert dataset.x_train.dtype == {"f": torch.float32, "b": torch.bool}.get(kind, torch.int64)
    assert dataset.x_train.int().tolist() == x.astype(int).tolist()


FORMS = {
    "uint8 images": (np.random.default_rng(1).integers(0, 255, (50, 4, 4, 3), np.uint8), np.arange(50) % 3),
    "memory map": ("mmap", np.arange(50) % 3),
    "HDF5": ("hdf5", np.arange(50) % 3),
    "dict": ({"a": np.arange(100, dtype=np.uint8).reshape(50, 2), "b": np.ones((50, 3), np.float64)}, np.arange(50)),
    "data set": Items(lambda i: ((np.full(3, i, np.uint8), np.full((2, 2), i / 7)), i % 3), 50),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_too_large_is_read_in_chunks_and_the_same(name, monkeypatch, tmp_path):
    form = FORMS[name]
    if name == "memory map":
        np.save(tmp_path / "x.npy", np.random.default_rng(2).normal(size=(50, 6)).astype(np.float32))
        form = (np.load(tmp_path / "x.npy", mmap_mode="r"), form[1])
    if name == "HDF5":
        file = h5py.File(tmp_path / "x.h5", "w")
        form = (
            file.create_dataset("x", data=np.random.default_rng(2).normal(size=(50, 6)).astype(np.float32)),
            form[1],
        )
    reading = Reading(mean=(0.25,), std=(2.0,))
    whole, _ = made(form, reading)
    monkeypatch.setattr(stored, "LARGEST", 64)
    lazy, notes = made(form, reading)
    assert isinstance(lazy.x_train, Lazy)
    assert lazy.input_shape == whole.input_shape
    assert torch.equal(lazy.y_train, whole.y_train)
    assert any("in chunks" in each for each in notes)
    part = lazy.x_train.some(torch.arange(3, 50, 4)).to("cpu")
    for rows in (slice(5, 9), torch.tensor([7, 2, 2]), [1, 4]):
        for one, other in (
            (lazy.x_train[rows], whole.x_train[rows]),
            (part[rows], whole.x_train[torch.arange(3, 50, 4)][rows]),
        ):
            pairs = zip(one.leaves, other.leaves, strict=True) if isinstance(other, Several) else [(one, other)]
            assert all(torch.equal(*pair) for pair in pairs)


def test_chunks_that_are_not_finite_or_of_other_shapes_are_refused(monkeypatch):
    monkeypatch.setattr(stored, "LARGEST", 64)
    monkeypatch.setattr("minima.zoo.data.items.AT_ONCE", 2)
    with pytest.raises(BadInput, match="2 of its values, the first in example 1"):
        made((BROKEN.astype(np.float64), LABELS))
    with pytest.raises(BadInput, match="2 of its values, the first in example 1"):
        made(Items(lambda i: (BROKEN[i], 0)))
    with pytest.raises(BadInput, match="Pad every item"):
        made(DataLoader(Items(lambda i: (list(range(40 + i)), i)), collate_fn=pad))


def test_a_command_on_a_data_set_in_chunks_has_the_numbers_of_one_in_memory(monkeypatch):
    from landscape.objective.objective import Objective
    from minima.zoo.examples.evaluation import evaluate

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    whole, _ = made(FORMS["uint8 images"])
    monkeypatch.setattr(stored, "LARGEST", 64)
    lazy, _ = made(FORMS["uint8 images"])
    one, other = (Objective(model, each.x_train, each.y_train, batch_size=7) for each in (whole, lazy))
    vector = torch.ones(one.dimension)
    assert one.loss() == other.loss()
    assert torch.equal(one.hvp(vector), other.hvp(vector))
    assert isinstance(other.of(slice(4, 30)).x, Lazy)
    assert one.part(4, 30).loss() == other.part(4, 30).loss()
    assert one.sample(torch.tensor([3, 9])).loss() == other.sample(torch.tensor([3, 9])).loss()
    assert evaluate(model, lazy.x_train, lazy.y_train) == evaluate(model, whole.x_train, whole.y_train)
    bigger = Objective(model.double(), lazy.x_train, lazy.y_train)
    assert bigger.loss() == pytest.approx(one.loss(), rel=1e-6)


def test_an_autoencoder_has_its_inputs_as_targets(monkeypatch):
    from landscape.objective.objective import Objective
    from minima.zoo.losses.named.mse import MeanSquaredError

    torch.manual_seed(0)
    model = torch.nn.Linear(5, 5)
    rows = np.random.default_rng(0).normal(size=(40, 5))
    found = []
    for size in (2**30, 64):
        monkeypatch.setattr(stored, "LARGEST", size)
        dataset, _ = made(rows)
        level = Objective(model, dataset.x_train, None, loss=MeanSquaredError(), batch_size=7).evaluate()
        x = torch.tensor(rows)
        outputs = model.double()(x.float().double())
        model.float()
        assert level.loss == pytest.approx((outputs - x).square().mean().item(), rel=1e-6)
        explained = 1 - (outputs - x).square().sum() / (x - x.mean(0)).square().sum()
        assert level.score == pytest.approx(explained.item(), rel=1e-5)
        found.append(level)
    assert found[0].loss == pytest.approx(found[1].loss, rel=1e-8)


SCRIPT = """
    import resource, torch
    from minima.zoo.data.specs import load_data, resolve_data
    from landscape.objective.objective import Objective
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(10_000, 3))
    Objective(model, torch.zeros(64, 1, 100, 100), torch.zeros(64, dtype=torch.long)).gradient()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dataset = load_data(resolve_data("npy:{folder}"))
    objective = Objective(model, dataset.x_train, dataset.y_train, batch_size=64)
    assert objective.loss_and_gradient()[0] > 0
    print(type(dataset.x_train).__name__, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_memory_map_takes_no_more_than_itself(tmp_path):
    """28,000 images of 10,000 bytes: 1.12 GB as float32, 0.28 GB as they lie, of which the kernel may hold a copy."""
    count = 28_000
    mapped = np.lib.format.open_memmap(tmp_path / "x_train.npy", "w+", np.uint8, (count, 100, 100))
    mapped[:, 0] = np.arange(100)
    del mapped
    np.save(tmp_path / "y_train.npy", np.arange(count) % 3)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT.format(folder=tmp_path))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kind, grown = done.stdout.split()
    assert kind == "Lazy"
    assert int(grown) < 4 * count * 100 * 100 / 3
