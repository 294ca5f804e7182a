"""Every command that runs a network says before its work what memory that takes, or refuses it with what to type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from faults.typed import typed

from minima.store.checkpoints.checkpoint import load

TINY = ("--model", "mlp:hidden=8", "--data", "digits:classes=0-2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("promised")
    with pytest.MonkeyPatch.context() as patch:
        assert typed(f"minima.train {' '.join(TINY)} --epochs 1 -o net.pt", made, patch) == 0
    return made


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"minima.train {' '.join(TINY)} --epochs 1 -o t.pt", "training on batches of"),
        ("pruning magnitude net.pt --sparsity 0.5 --epochs 1 -o p.pt", "pruning by magnitude"),
        ("pruning grasp net.pt --sparsity 0.5 --epochs 0 -o g.pt", "pruning by grasp"),
        ("pruning.masks net.pt", "following"),
        ("pruning.collapse net.pt --methods snip", "cutting by snip"),
        ("entropy.layers net.pt", "looking at"),
        ("entropy.psp net.pt", "counting the states"),
        ("entropy.transfer net.pt --to digits:classes=3-5 --epochs 1", "a probe on"),
        ("landscape.hessian net.pt --top 1", "computing derivatives"),
    ],
)
def test_what_it_takes_is_said_or_refused_before_it(
    line: str, what: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("minima.store.memory.TOLD", 0.0)
    monkeypatch.setattr("minima.store.room.LEAST", 0.0)
    before = {path.name for path in folder.iterdir()}
    assert typed(f"{line} --memory 0.001", folder, monkeypatch) == 1
    refused = capsys.readouterr().err
    assert re.search(
        rf"{what}.* takes up to [\d.]+ GiB .*, and --memory is 0\.001\d*\.\nType --memory [\d.]+, or ", refused
    )
    assert {path.name for path in folder.iterdir()} == before
    assert typed(line, folder, monkeypatch) == 0
    assert re.search(rf"{what}.* takes up to [\d.]+ GiB", capsys.readouterr().err)


def test_a_wrong_network_is_told_before_a_result_that_is_in_the_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(load(folder / "net.pt").state, folder / "foreign.pt")
    line = "entropy.layers foreign.pt --data digits:classes=0-2 --model"
    assert typed(f"{line} mlp:hidden=8", folder, monkeypatch) == 0
    capsys.readouterr()
    assert typed(f"{line} mlp:hidden=9", folder, monkeypatch) == 1
    assert "holds another result" not in capsys.readouterr().err
    assert typed(f"{line} mlp:hidden=8 --estimator easier", folder, monkeypatch) == 1
    assert "holds another result" in capsys.readouterr().err
