"""`python -m entropy.psp CKPT`: the contract's keys and groups, reuse, notes, from any directory."""

from __future__ import annotations

import json
import math
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
from oracles.psp_reference import layer_reference

from entropy.psp.__main__ import main
from entropy.psp.flags import Psp
from minima.store.checkpoints.checkpoint import Checkpoint, save
from minima.store.command import BadInput
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture
from minima.zoo.data.specs import load_data, resolve_data

ROOT = Path(__file__).parents[2]
KEYS = (
    "checkpoint sha256 loss accuracy samples seed out seconds compile_seconds reused order classes network_mean layers"
)
LAYER_KEYS = (
    "name neurons mean std min max dead always_on alive_mean corrected_mean stderr class_information_mean output"
)


def write_checkpoint(path: Path, network: str = "lenet5", seed: int = 0, data: str = "digits") -> Path:
    """A checkpoint with the weights of initialisation."""
    entry = resolve_data(data)
    dataset = load_data(entry)
    model = describe(parse_architecture(network), dataset.input_shape, dataset.classes)
    save(Checkpoint(model=model, data=entry, state=initialise(model, seed).state_dict()), path)
    return path


def psp(*checkpoints: Path, **flags: Any) -> dict[str, Any]:
    return main(Psp(checkpoints=checkpoints, device="cpu", **flags)).summary


def command(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [python(), "-m", "entropy.psp", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("runs") / "net.pt")


@pytest.fixture(scope="module")
def summary(checkpoint: Path) -> dict[str, Any]:
    return psp(checkpoint)


def test_json_has_the_keys_of_the_contract(summary: dict[str, Any], checkpoint: Path) -> None:
    assert set(KEYS.split()) <= set(summary)
    assert (summary["order"], summary["classes"], summary["samples"]) == (1, 10, 360)
    assert (summary["split"], summary["neurons"]) == ("test", "position")
    assert summary["out"] == str(checkpoint.with_name("net.psp.h5"))
    for layer in summary["layers"]:
        assert set(LAYER_KEYS.split()) <= set(layer)
        assert layer["stderr"] == 0.0  # the whole split was measured
    assert [layer["output"] for layer in summary["layers"]] == [False, False, False, True]
    assert summary["layers"][0]["neurons"] == 20 * 8 * 8


def test_file_holds_every_neuron(summary: dict[str, Any], checkpoint: Path) -> None:
    dataset = load_data(resolve_data("digits"))
    with h5py.File(summary["out"]) as file:
        for layer in summary["layers"]:
            group = file["psp"][layer["name"]]
            entropy = group["entropy"][:]
            assert entropy.shape == (layer["neurons"],)
            assert entropy.mean() == pytest.approx(layer["mean"])
            assert group["corrected_entropy"][:].mean() == pytest.approx(layer["corrected_mean"])
            assert group["class_information"][:].mean() == pytest.approx(layer["class_information_mean"])
            counts, p_on = group["counts"][:], group["p_on"][:]
            assert counts.shape == p_on.shape == (10, layer["neurons"])
            np.testing.assert_array_equal(group["observed"][:], dataset.y_test.bincount())
            np.testing.assert_allclose(p_on, counts / group["observed"][:][:, None])
            assert math.prod(group.attrs["shape"]) == layer["neurons"]
            assert [dim[0].name.rsplit("/")[-1] for dim in group["counts"].dims] == ["class", "neuron"]
            assert group["entropy"].attrs["units"] == "bit"
            assert group["entropy"].attrs["long_name"]


def test_file_opens_labelled_in_xarray(summary: dict[str, Any]) -> None:
    group = f"psp/{summary['layers'][0]['name']}"
    with xarray.open_dataset(summary["out"], engine="h5netcdf", group=group) as opened:
        assert opened["entropy"].dims == ("neuron",)
        assert opened["p_on"].dims == ("class", "neuron")


def test_numbers_are_those_of_the_reference(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "mlp.pt", "mlp:hidden=7x5")
    summary = psp(path, samples="first:60")
    dataset = load_data(resolve_data("digits"))
    x, y = dataset.x_test[:60], dataset.y_test[:60]
    model = describe(parse_architecture("mlp:hidden=7x5"), dataset.input_shape, dataset.classes)
    network = initialise(model, 0)
    weights = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    h = x.flatten(1)
    for layer, linear in zip(summary["layers"], weights, strict=True):
        with torch.no_grad():
            z = linear(h)
        expected = layer_reference(z, y, 10)
        assert layer["mean"] == pytest.approx(np.mean([neuron["entropy"] for neuron in expected]))
        assert (layer["stderr"] > 0) == (layer["mean"] > 0)  # constant neurons are constant in every subsample
        h = z.relu()


def test_finished_results_are_reused_and_others_refused(summary: dict[str, Any], checkpoint: Path) -> None:
    assert summary["reused"] is False
    again = psp(checkpoint)
    assert again["reused"] is True
    assert again["layers"] == summary["layers"]
    with pytest.raises(BadInput, match="--overwrite"):
        psp(checkpoint, neurons="channel")


def test_channel_neurons(checkpoint: Path, tmp_path: Path) -> None:
    summary = psp(checkpoint, neurons="channel", out=tmp_path / "channel.h5")
    assert [layer["neurons"] for layer in summary["layers"]] == [20, 50, 500, 10]


def test_absent_classes_are_left_out_and_said(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    dataset = load_data(resolve_data("digits"))
    first = dataset.y_test[:5].tolist()
    summary = psp(checkpoint, samples="first:5", out=tmp_path / "few.h5")
    assert summary["absent_classes"] == sorted(set(range(10)) - set(first))
    assert f"no examples of class {summary['absent_classes'][0]}" in capsys.readouterr().err
    assert all(math.isfinite(layer["mean"]) for layer in summary["layers"])


def test_foreign_network_without_activations(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\ndef net(): return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.LogSoftmax(dim=1))\n"
    )
    torch.manual_seed(0)
    torch.save(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).state_dict(), tmp_path / "mine.pt")
    flags = {"model": f"{tmp_path / 'mine.py'}:net", "data": "digits"}
    summary = psp(tmp_path / "mine.pt", **flags)
    assert "no elementwise activation" in capsys.readouterr().err
    assert summary["network_mean"] is None
    (layer,) = summary["layers"]
    assert (layer["name"], layer["neurons"], layer["output"]) == ("1", 10, True)
    assert layer["mean"] > 0  # of the logits: log-probabilities are never positive
    reused = main(Psp(checkpoints=(tmp_path / "mine.pt",), device="cpu", **flags))
    assert reused.summary["reused"] is True
    assert "1 (output)" in reused.table


def test_several_checkpoints_share_a_file(checkpoint: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other.pt", seed=1)
    summary = psp(checkpoint, other, out=tmp_path / "both.h5")
    assert len(summary["layers"]) == len(summary["network_mean"]) == 2
    with h5py.File(summary["out"]) as file:
        name = summary["layers"][0][0]["name"]
        assert file[f"psp/{name}/entropy"].shape == (2, 20 * 8 * 8)


def test_command_works_from_another_directory(checkpoint: Path, tmp_path: Path) -> None:
    done = command(checkpoint, "--json", "-o", tmp_path / "here.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["layers"][-1]["output"] is True
    again = command(checkpoint, "-o", tmp_path / "here.h5", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    for expected in ("PSP-entropy", printed["layers"][0]["name"], "dead", "hidden neurons"):
        assert expected in again.stdout
