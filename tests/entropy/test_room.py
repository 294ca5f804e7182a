"""What counting takes: rows for the classes that occur only, told before it is done, and never more than was said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from oracles.psp_networks import ConvNet, data

from entropy import psp_entropy
from entropy.information.measurement import measure
from entropy.information.request import Request, Together
from minima.store.command import BadInput

LABELS = np.array([3, 41, 500, 997])


@pytest.mark.parametrize("together", [Together(), Together(order=2), Together(order=3, tuples=50)])
def test_a_thousand_classes_of_which_four_occur_are_four_classes(together: Together) -> None:
    network, (x, y) = ConvNet(), data(60, 4)
    request = Request(together=together, selectivity=True, permutations=4)
    few, _ = measure(network, x, y, 4, request=request)
    many, _ = measure(network, x, torch.from_numpy(LABELS)[y], 1000, request=request)
    for layer, other in zip(few, many, strict=True):
        assert other.labels == tuple(LABELS)
        assert layer.summary() == other.summary()
        np.testing.assert_array_equal(layer.counts, other.counts)
        np.testing.assert_array_equal(layer.p_on, other.p_on)


def test_layers_worked_out_in_tiles_have_the_numbers_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    network, (x, y) = ConvNet(), data(60, 4)
    whole, _ = measure(network, x, y, 4)
    monkeypatch.setattr("entropy.information.layer.TILE", 44)  # 11 neurons of 4 classes
    tiled, _ = measure(network, x, y, 4)
    for layer, other in zip(whole, tiled, strict=True):
        np.testing.assert_array_equal(layer.entropy, other.entropy)
        np.testing.assert_array_equal(layer.dead, other.dead)
        np.testing.assert_allclose(layer.information, other.information, rtol=0, atol=1e-15)


def test_too_much_is_refused_with_the_amount_to_type() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten())
    x, y = torch.randn(200, 1, 64, 64), torch.arange(200)
    with pytest.raises(BadInput, match=r"--memory is 0.5.\nType --memory (\S+), or") as refused:
        psp_entropy(model, (x, y), order=1, memory=0.5)
    wanted = float(re.search(r"Type --memory ([\d.]+)", str(refused.value))[1])  # type: ignore[index]
    assert 0.5 < wanted < 4


NETWORK = """
import torch
def make():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 32, 3, padding=1), torch.nn.ReLU(),
        torch.nn.Conv2d(32, 32, 3, padding=1),
        torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(128, 1000))
"""


def test_peak_stays_below_what_was_said(tmp_path) -> None:
    """Counts of all thousand classes of 262,000 neurons would take 0.26 GB a block, their frequencies 2.1."""
    (tmp_path / "many.py").write_text(NETWORK)
    made: dict[str, Any] = {}
    exec(NETWORK, made)
    torch.save(made["make"]().state_dict(), tmp_path / "many.pt")
    x = np.random.default_rng(0).standard_normal((30, 3, 64, 64)).astype("f4")
    y = np.arange(30) * 34
    np.savez(tmp_path / "many.npz", x_train=x[:1], y_train=y[:1], x_test=x, y_test=y)
    line = "entropy.psp many.pt --model many.py:make --data npz:many.npz --json"
    done = subprocess.run(
        [sys.executable, "-m", *line.split()], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = re.search(r"30 classes takes up to ([\d.]+) GiB", done.stderr)
    assert said, done.stderr
    summary = json.loads(done.stdout)
    assert 0 < summary["memory_gib"] < float(said[1]) < 1.5
    assert "and 947 more" in done.stderr


def counted(folder: Path, *flags: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The arrays of a layer that `entropy.psp` writes of a small network."""
    from entropy.psp.__main__ import main
    from entropy.psp.flags import Psp
    from minima.store.command import parse

    torch.manual_seed(0)
    if not (folder / "net.pt").exists():
        assert torch.save(ConvNet().state_dict(), folder / "net.pt") is None
        x, y = data(30, 3)
        np.savez(folder / "net.npz", x_train=x.numpy(), y_train=y.numpy(), x_test=x.numpy(), y_test=y.numpy())
    monkeypatch.setattr("sys.path", [str(Path(__file__).parents[1]), *sys.path])
    network = Path(__file__).parents[1] / "oracles" / "psp_networks.py"
    named = ["--model", f"{network}:ConvNet", "--data", f"npz:{folder}/net.npz", "-o", str(folder / "x.h5")]
    main(parse(Psp, "psp", [str(folder / "net.pt"), *named, "--overwrite", *flags]))
    with h5py.File(folder / "x.h5") as file:
        assert ("tables" in str(file.attrs["arguments"])) == ("--tables" in flags)
        layer = next(file["psp"][name] for name in file["psp"] if isinstance(file["psp"][name], h5py.Group))
        return set(layer)


def test_numbers_of_every_class_and_neuron_are_left_out_where_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"entropy", "counts", "p_on"} <= counted(tmp_path, monkeypatch=monkeypatch)
    monkeypatch.setattr("entropy.psp.compute.LARGEST_TABLES", 1000)
    monkeypatch.setattr("minima.store.hdf5.part.TOLD", 0)
    few = counted(tmp_path, monkeypatch=monkeypatch)
    said = capsys.readouterr().err
    assert "entropy" in few
    assert not {"counts", "p_on"} & few
    assert "--tables all writes them" in said
    foreseen = re.search(r"x\.h5 will take ([\d.]+) KiB of its disk", said)
    assert foreseen, said
    assert 0.2 < (tmp_path / "x.h5").stat().st_size / 1024 / float(foreseen[1]) < 2
    assert {"counts", "p_on"} <= counted(tmp_path, "--tables", "all", monkeypatch=monkeypatch)
    monkeypatch.setattr("minima.store.disk.os.statvfs", lambda _: os.statvfs_result((1, 1, 1000, 9, 9, 1, 1, 1, 0, 1)))
    with pytest.raises(BadInput, match=r"x\.h5 needs [\d.]+ KiB of room, and its disk has 9 bytes left"):
        counted(tmp_path, "--tables", "none", monkeypatch=monkeypatch)
