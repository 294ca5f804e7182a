"""`python -m entropy.layers CKPT`: the contract's keys and groups, flags, reuse, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import xarray
from forks.python import python
from oracles.layers_reference import layer_entropy, published_entropy
from torch import Tensor, nn

from entropy.layers.__main__ import main
from entropy.layers.flags import Layers
from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.command import BadInput
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import load_data, resolve_data

ROOT = Path(__file__).parents[2]
KEYS = "checkpoint sha256 loss accuracy samples seed out seconds compile_seconds reused estimator layers"
LAYER_KEYS = "name entropy neurons always_on always_off removable"
NETWORK = """
from torch import nn
def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 10))
def without():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
"""


def write_checkpoint(path: Path, network: str, seed: int = 0) -> Path:
    """A checkpoint with the weights of initialisation."""
    entry = resolve_data("digits")
    dataset = load_data(entry)
    model = describe(parse_architecture(network), dataset.input_shape, dataset.classes)
    save(Checkpoint(model=model, data=entry, state=initialise(model, seed).state_dict()), path)
    return path


def layers(*checkpoints: Path, **flags: Any) -> dict[str, Any]:
    return main(Layers(checkpoints=checkpoints, device="cpu", **flags)).summary


def potentials(path: Path, split: str = "test") -> list[Tensor]:
    """What goes into the two ReLUs of mlp:hidden=7x5."""
    dataset = load_data(resolve_data("digits"))
    x = dataset.split(split)[0]
    model = initialise(describe(parse_architecture("mlp:hidden=7x5"), dataset.input_shape, dataset.classes), 0)
    first, second, _ = (module for module in model.modules() if isinstance(module, nn.Linear))
    with torch.no_grad():
        z = first(x.flatten(1))
        return [z, second(z.relu())]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("runs") / "net.pt", "mlp:hidden=7x5")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A network of the user's own: an always-ON and dead ReLU layer, then GELU."""
    (tmp_path / "mine.py").write_text(NETWORK)
    torch.manual_seed(0)
    sizes = [nn.Flatten(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 10)]
    model = nn.Sequential(*sizes)
    model[1].bias.data = torch.tensor([100.0, -100, 100, -100, 100, -100])
    torch.save(model.state_dict(), tmp_path / "mine.pt")
    return tmp_path / "mine.pt"


def flags_of(foreign: Path, factory: str = "net") -> dict[str, Any]:
    return {"model": f"{foreign.with_name('mine.py')}:{factory}", "data": "digits"}


def test_json_has_the_keys_of_the_contract(checkpoint: Path) -> None:
    summary = layers(checkpoint)
    assert set(KEYS.split()) <= set(summary)
    assert (summary["estimator"], summary["split"], summary["samples"]) == ("egp", "test", 360)
    assert summary["out"] == str(checkpoint.with_name("net.layers.h5"))
    assert all(set(LAYER_KEYS.split()) <= set(layer) for layer in summary["layers"])
    assert [layer["neurons"] for layer in summary["layers"]] == [7, 5]  # the output layer has no rectifier
    assert layers(checkpoint)["reused"] is True
    with pytest.raises(BadInput, match="estimator was egp, is easier now"):
        layers(checkpoint, estimator="easier")


@pytest.mark.parametrize("estimator", ["egp", "nepenthe", "easier"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_numbers_are_those_of_the_reference(checkpoint: Path, tmp_path: Path, estimator: str, split: str) -> None:
    found = layers(checkpoint, estimator=estimator, split=split, batch_size=50, out=tmp_path / "a.h5")
    published = layers(checkpoint, estimator=estimator, split=split, compat="published", out=tmp_path / "b.h5")
    assert (found["batch_size"], published["batch_size"]) == (None, 128)
    for index, z in enumerate(potentials(checkpoint, split)):
        assert found["layers"][index]["entropy"] == pytest.approx(layer_entropy(z, estimator))
        assert published["layers"][index]["entropy"] == pytest.approx(published_entropy(z, estimator, 128))


def test_only_the_published_form_depends_on_the_batch_size(checkpoint: Path, tmp_path: Path) -> None:
    def of(size: int, compat: Any) -> list[float]:
        summary = layers(checkpoint, batch_size=size, compat=compat, out=tmp_path / f"{size}-{compat}.h5")
        return [layer["entropy"] for layer in summary["layers"]]

    assert of(3, None) == of(500, None)
    assert of(3, "published") != of(500, "published")
    text = main(
        Layers(
            checkpoints=(checkpoint,), device="cpu", batch_size=3, compat="published", out=tmp_path / "3-published.h5"
        )
    ).table
    assert "mini-batches of 3 (depends on --batch-size)" in text


def test_importance_and_budget(checkpoint: Path, tmp_path: Path) -> None:
    summary = layers(checkpoint, zeta=0.5, out=tmp_path / "zeta.h5")
    weights = {"fc1": 64 * 7, "fc2": 7 * 5}
    state = initialise(
        describe(parse_architecture("mlp:hidden=7x5"), load_data(resolve_data("digits")).input_shape, 10), 0
    ).state_dict()
    for layer, size in zip(summary["layers"], weights.values(), strict=True):
        assert layer["weights_left"] == size
        assert layer["importance"] == pytest.approx(layer["entropy"] * float(state[layer["weight"]].abs().mean()))
        assert 0 <= layer["budget"] <= size
    assert sum(layer["budget"] for layer in summary["layers"]) in (240, 241)
    assert "budget" not in layers(checkpoint, out=tmp_path / "without.h5")["layers"][0]


def test_file_holds_every_channel_and_opens_in_xarray(checkpoint: Path, tmp_path: Path) -> None:
    summary = layers(checkpoint, zeta=0.5, estimator="nepenthe", out=tmp_path / "net.h5")
    with h5py.File(summary["out"]) as file:
        for layer, z in zip(summary["layers"], potentials(checkpoint), strict=True):
            group = file["layers/channels"][layer["name"]]
            np.testing.assert_array_equal(group["positive"][:], (z > 0).sum(0))
            np.testing.assert_array_equal(group["negative"][:] + group["zero"][:], (z <= 0).sum(0))
            np.testing.assert_allclose(group["p_on"][:], (z > 0).sum(0) / (z != 0).sum(0))
            assert [dim[0].name.rsplit("/")[-1] for dim in group["p_on"].dims] == ["neuron"]
        assert file["layers/entropy"].attrs["units"] == "bit"
        assert all(item.attrs["long_name"] for item in file["layers"].values() if isinstance(item, h5py.Dataset))
    with xarray.open_dataset(summary["out"], engine="h5netcdf", group="layers") as opened:
        assert opened["entropy"].dims == ("layer",)
        assert opened["layer"].values.tolist() == [layer["name"] for layer in summary["layers"]]
        assert opened["entropy"].sel(layer=summary["layers"][1]["name"]).item() == summary["layers"][1]["entropy"]


def test_rectifiers_that_can_go(foreign: Path) -> None:
    report = main(Layers(checkpoints=(foreign,), device="cpu", **flags_of(foreign)))
    relu, gelu = report.summary["layers"]
    assert (relu["name"], relu["always_on"], relu["always_off"], relu["entropy"]) == ("1", 3, 3, 0.0)
    assert (relu["removable"], relu["max_output_change"]) == (True, 0.0)
    assert (gelu["entropy"], gelu["removable"]) == (0.0, False)  # one state for each, but no line
    assert gelu["max_output_change"] > report.summary["output_tolerance"]
    assert report.summary["remove_next"] == ["1", "3"]
    assert "can go without changing an output: 1" in report.table


def test_several_checkpoints_share_a_file(checkpoint: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other.pt", "mlp:hidden=7x5", seed=1)
    summary = layers(checkpoint, other, out=tmp_path / "both.h5")
    assert len(summary["layers"]) == len(summary["remove_next"]) == 2
    with h5py.File(summary["out"]) as file:
        assert file["layers/entropy"].shape == (2, 2)


def test_residual_network(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write_checkpoint(tmp_path / "res.pt", "resnet20:width=2")
    summary = layers(path, samples=20, zeta=0.3)
    assert len(summary["layers"]) == 19
    assert all(layer["weight"] and layer["importance"] is not None for layer in summary["layers"])
    assert "no single weight" not in capsys.readouterr().err


def test_sites_without_a_weight_are_said(foreign: Path, capsys: pytest.CaptureFixture) -> None:
    foreign.with_name("mine.py").write_text(
        "from torch import nn\ndef net(): return nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(64, 10))\n"
    )
    torch.save(nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(64, 10)).state_dict(), foreign)
    (layer,) = layers(foreign, zeta=0.5, **flags_of(foreign))["layers"]
    assert (layer["name"], layer["weight"], layer["importance"], layer["budget"]) == ("input", None, None, None)
    assert layer["removable"]  # pixels are never negative
    assert "no single weight makes the input of input" in capsys.readouterr().err


def test_no_activation_is_refused(foreign: Path) -> None:
    torch.save(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).state_dict(), foreign)
    with pytest.raises(BadInput, match="found none: there is no layer to look at") as error:
        layers(foreign, **flags_of(foreign, "without"))
    assert "mine.pt" in str(error.value)
    assert "python -m entropy.psp" in str(error.value)


def test_nan_outputs_are_refused(foreign: Path) -> None:
    state = torch.load(foreign)
    state["5.bias"][0] = torch.nan
    torch.save(state, foreign)
    with pytest.raises(BadInput, match="NaN"):
        layers(foreign, **flags_of(foreign))


def test_one_class_is_as_good_as_ten(foreign: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((20, 8, 8), dtype=np.float32)
    y = np.zeros(20, dtype=np.int64)
    np.savez(tmp_path / "one.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    summary = layers(foreign, **flags_of(foreign) | {"data": f"npz:{tmp_path / 'one.npz'}"})
    assert [layer["neurons"] for layer in summary["layers"]] == [6, 5]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"estimator": "psp"}, "--estimator psp: known are easier, egp, nepenthe"),
        ({"zeta": 0.0}, "--zeta 0.0: expected a fraction"),
        ({"zeta": 1.5}, "--zeta 1.5: expected a fraction"),
        ({"batch_size": 0}, "--batch-size 0"),
    ],
)
def test_flags_that_mean_nothing_are_refused(checkpoint: Path, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        layers(checkpoint, **flags)


def test_command_works_from_another_directory(checkpoint: Path, tmp_path: Path) -> None:
    line = [python(), "-m", "entropy.layers", checkpoint, "--zeta", "0.5", "-o", tmp_path / "here.h5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*map(str, line), *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    done = run("--json")
    assert done.returncode == 0, done.stderr
    assert set(LAYER_KEYS.split()) <= set(json.loads(done.stdout)["layers"][0])
    again = run()
    for expected in ("Layer entropies (EGP", "would lose", "the papers use train", "removable"):
        assert expected in again.stdout
    refused = run("--estimator", "psp", "--overwrite")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "error: --estimator psp: known are easier, egp, nepenthe"
