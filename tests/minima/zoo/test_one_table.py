"""Very many checkpoints on a line: one table of them all, progress over them, and a file that goes on after a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from faults.typed import typed

from minima.store.checkpoints.checkpoint import load, save
from minima.zoo.measuring.one_table import COLUMNS, MANY

NAMES = [f"n{index:02}.pt" for index in range(MANY + 2)]
TINY = ("--model", "mlp:hidden=2", "--data", "digits:classes=0-1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        assert typed(f"minima.train {' '.join(TINY)} --epochs 1 -o net.pt", made, patch) == 0
    first = load(made / "net.pt")
    for index, name in enumerate(NAMES):
        moved = {key: value + 0.01 * index * torch.ones_like(value) for key, value in first.state.items()}
        save(replace(first, state=moved), made / name)
    return made


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("landscape.surface --grid 2 --samples 20 --compile off", {"loss_at_centre", "loss_max", "gradient_norm"}),
        ("landscape.sharpness --measures lambda_max --samples 20", {"lambda_max", "loss", "accuracy"}),
        ("entropy.psp", {"loss", "accuracy"}),
    ],
)
def test_there_is_one_table_with_a_line_for_each(
    command: str,
    shown: set[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, *flags = command.split()
    line = f"{module} {' '.join(NAMES)} {' '.join(flags)} --split train -o {module}.h5"
    assert typed(line, folder, monkeypatch) == 0
    said = capsys.readouterr().out
    assert [row.split()[0] for row in said.splitlines()[2 : 2 + len(NAMES)]] == NAMES
    head = said.splitlines()[0].split()
    assert head[0] == "checkpoint"
    assert len(head) <= 1 + COLUMNS
    assert f"{len(NAMES)} checkpoints" in said
    assert typed(f"{line} --json", folder, monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)
    assert shown <= set(head)
    for key in shown - {"lambda_max"}:
        column = [float(row.split()[head.index(key)]) for row in said.splitlines()[2 : 2 + len(NAMES)]]
        assert np.allclose(column, found[key], rtol=1e-3)
