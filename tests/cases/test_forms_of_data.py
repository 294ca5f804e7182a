"""Handed cases: integer tokens, signals, tables in 8 bits, sorted labels; as files, mapped folders and data sets."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import truth
from cases.lines import typed
from safetensors.torch import save_file

HERE = Path(__file__).parent


def case(name, folder, network="Net", **fitting):
    """The fitted network of a case, its inputs and targets; its weights lie in the folder as net.pt."""
    shutil.copy(HERE / name / "model.py", folder)
    spec = importlib.util.spec_from_file_location(name, HERE / name / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    x, y = module.data()
    torch.manual_seed(0)
    made = truth.fit(getattr(module, network)(), x, y, **fitting)
    torch.save(made.state_dict(), folder / "net.pt")
    return made, x, y


def store(kind, folder, x, y):
    """The arrays in a file or folder of this kind; the spec."""
    if kind == "npz":
        np.savez(folder / "data.npz", x_train=x, y_train=y)
        return "npz:data.npz"
    if kind == "safetensors":
        save_file({"x_train": torch.tensor(x), "y_train": torch.tensor(y)}, folder / "data.safetensors")
        return "safetensors:data.safetensors"
    if kind == "npy":
        (folder / "data").mkdir()
        np.save(folder / "data" / "x_train.npy", x)
        np.save(folder / "data" / "y_train.npy", y)
        return "npy:data"
    np.savez(folder / "data.npz", x=x, y=y)
    (folder / "data.py").write_text(
        "import numpy as np, torch\n"
        "class Rows(torch.utils.data.Dataset):\n"
        "    def __init__(self):\n"
        "        self.data = np.load('data.npz')\n"
        "        self.x, self.y = self.data['x'], self.data['y']\n"
        "    def __len__(self):\n"
        "        return len(self.x)\n"
        "    def __getitem__(self, index):\n"
        "        return self.x[index], self.y[index]\n"
        "def loader():\n"
        "    return torch.utils.data.DataLoader(Rows(), batch_size=7, shuffle=True)\n"
    )
    return "data.py:loader"


def hessian(folder, spec, *flags, model="Net"):
    status, found, said = typed(
        folder, "landscape.hessian", "net.pt", "--model", f"model.py:{model}", "--data", spec, "--top", 3,
        "--tolerance", 1e-4, "--data-error", "none", *flags,
    )  # fmt: skip
    assert status == 0, said
    return found


def check(found, network, x, y):
    expected = truth.dense(network, x, y)
    size = float(expected.eigenvalues.abs().max())
    assert found["loss"] == pytest.approx(expected.loss, abs=1e-5 * max(expected.loss, 1))
    assert found["eigenvalues"] == pytest.approx(expected.eigenvalues[:3].tolist(), abs=1e-3 * size)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [("int64", "npz"), ("uint8", "npy"), ("float32", "safetensors"), ("float32", "data set"), ("uint8", "npz")],
)
def test_tokens(dtype, kind, tmp_path):
    network, x, y = case("lstm_tokens", tmp_path)
    found = hessian(tmp_path, store(kind, tmp_path, x.numpy().astype(dtype), y.numpy()))
    check(found, network, x, y)
    assert not any("255" in each for each in found["notes"])


@pytest.mark.parametrize("name", ["Net", "Gru", "Pool", "Attn"])
def test_signals_get_no_axis(name, tmp_path):
    network, x, y = case("signals", tmp_path, name, steps=40)
    check(hessian(tmp_path, store("npy", tmp_path, x.numpy(), y.numpy()), model=name), network, x, y)


@pytest.mark.parametrize(("dtype", "labels"), [("uint8", "int64"), ("float64", "uint8"), ("uint16", "int32")])
def test_tables_are_no_images(dtype, labels, tmp_path):
    network, x, y = case("uint8_table", tmp_path, steps=150)
    found = hessian(tmp_path, store("npz", tmp_path, x.numpy().astype(dtype), y.numpy().astype(labels)))
    check(found, network, x, y)
    assert any("as floats" in each for each in found["notes"]) == (dtype != "float64")


def test_tables_are_scaled_where_that_is_typed(tmp_path):
    network, x, y = case("uint8_table", tmp_path, steps=150)
    found = hessian(tmp_path, store("npz", tmp_path, x.numpy().astype("uint8"), y.numpy()), "--scale", 0.5)
    check(found, network, x * 0.5, y)


def test_samples_of_sorted_labels_stand_for_the_split(tmp_path):
    network, x, y = case("sorted_labels", tmp_path, steps=120)
    spec = store("npz", tmp_path, x.numpy(), y.numpy())
    whole = hessian(tmp_path, spec)
    check(whole, network, x, y)
    status, few, said = typed(
        tmp_path, "landscape.hessian", "net.pt", "--model", "model.py:Net", "--data", spec, "--top", 1,
        "--samples", 300, "-o", "few.h5",
    )  # fmt: skip
    assert status == 0, said
    error = few["data_stderr"][0]
    assert 0 < error < 0.3 * whole["eigenvalues"][0]
    assert abs(few["eigenvalues"][0] - whole["eigenvalues"][0]) < 4 * error


def test_inputs_larger_than_the_bound_have_the_same_numbers(tmp_path, monkeypatch):
    network, x, y = case("signals", tmp_path, "Gru", steps=40)
    spec = store("npy", tmp_path, x.numpy(), y.numpy())
    monkeypatch.setattr("minima.zoo.data.stored.LARGEST", 1024)
    for command, flags in (
        ("hessian", ["--top", 2]),
        ("surface", ["--grid", 3]),
        ("sharpness", ["--measures", "trace"]),
    ):
        status, found, said = typed(
            tmp_path, f"landscape.{command}", "net.pt", "--model", "model.py:Gru", "--data", spec, *flags,
            "--samples", 50, "-o", f"{command}.h5",
        )  # fmt: skip
        assert status == 0, said
        assert any("in chunks" in each for each in found["notes"])
    status, found, said = typed(
        tmp_path, "entropy.psp", "net.pt", "--model", "model.py:Gru", "--data", spec, "--split", "train"
    )
    assert status == 0, said
    check(hessian(tmp_path, spec, "-o", "whole.h5", model="Gru"), network, x, y)


def test_training_and_other_measures_read_chunks_too(tmp_path, monkeypatch):
    from minima.store.command import run
    from minima.train import Train, main

    (tmp_path / "d").mkdir()
    images = np.random.default_rng(0).integers(0, 255, (120, 8, 8), dtype=np.uint8)
    for split, count in (("train", 120), ("test", 40)):
        np.save(tmp_path / "d" / f"x_{split}.npy", images[:count])
        np.save(tmp_path / "d" / f"y_{split}.npy", images[:count, 0, 0] % 2)
    monkeypatch.chdir(tmp_path)
    found = []
    for largest in (2**30, 64):
        monkeypatch.setattr("minima.zoo.data.stored.LARGEST", largest)
        words = ["--model", "mlp:hidden=8", "--data", "npy:d", "-o", "ours.pt", "--epochs", "2", "--overwrite"]
        with pytest.raises(SystemExit) as end:
            run(Train, main, prog="python -m minima.train", description="", argv=words)
        assert not end.value.code
        numbers = [(tmp_path / "ours.pt").read_bytes()]
        for command, flags in (("entropy.layers", []), ("landscape.path", ["ours.pt", "--align", "weights"])):
            status, result, said = typed(tmp_path, command, "ours.pt", *flags, "-o", "out.h5", "--overwrite")
            assert status == 0, said
            numbers.append(result["loss"] if "loss" in result else result["losses"])
        found.append(numbers)
    assert found[0] == found[1]


@pytest.mark.parametrize("largest", [2**30, 64])
def test_an_autoencoder(largest, tmp_path, monkeypatch):
    monkeypatch.setattr("minima.zoo.data.stored.LARGEST", largest)
    (tmp_path / "model.py").write_text(
        "from torch.nn import Linear, Sequential, Tanh\n"
        "def Net():\n"
        "    return Sequential(Linear(5, 3), Tanh(), Linear(3, 5))\n"
    )
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.Tanh(), torch.nn.Linear(3, 5))
    torch.save(network.state_dict(), tmp_path / "net.pt")
    x = torch.randn(40, 5)
    spec = store("npy", tmp_path, x.numpy(), x.numpy())
    (tmp_path / "data" / "y_train.npy").unlink()
    found = hessian(tmp_path, spec, "--loss", "mse")
    assert any("inputs themselves" in each for each in found["notes"])
    expected = truth.dense(network, x, x.double(), torch.nn.functional.mse_loss)
    assert found["loss"] == pytest.approx(expected.loss, rel=1e-5)
    assert found["eigenvalues"] == pytest.approx(expected.eigenvalues[:3].tolist(), rel=1e-3)
    outputs = network(x.double())
    explained = 1 - (outputs - x).square().sum() / (x - x.mean(0)).double().square().sum()
    assert found["score"] == pytest.approx(explained.item(), rel=1e-4)
    status, found, said = typed(
        tmp_path, "landscape.hessian", "net.pt", "--model", "model.py:Net", "--data", spec, "--top", 1, "--loss", "mse",
        "--samples", 30, "-o", "with-errors.h5",
    )  # fmt: skip
    assert status == 0, said
    assert found["data_stderr"][0] > 0
