"""Results that somebody has edited and given digests that fit: refused in words by whatever reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.typed import typed

from minima.store.hdf5.digest import seal
from minima.store.hdf5.memory import in_memory
from minima.store.messages import BadInput

LINES = (
    "minima.train --model mlp:hidden=8 --data digits:classes=0-2 --epochs 1 -o net.pt",
    "landscape.surface net.pt --grid 4 --compile off --samples 50 -o surface.h5",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("forged")
    with pytest.MonkeyPatch.context() as patch:
        assert [typed(line, made, patch) for line in LINES] == [0, 0]
    return made


def group_for(name: str) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.move(name, "elsewhere")
        file.create_group(name)

    return edit


def values(name: str, shape: tuple[int, ...]) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.move(name, "elsewhere")
        file.create_dataset(name, data=np.ones(shape))

    return edit


def attribute(key: str, value: str) -> Callable[[Any], None]:
    return lambda file: file.attrs.__setitem__(key, value)


EDITS = {
    "an axis is a group": group_for("surface/alpha"),
    "losses are a group": group_for("surface/loss"),
    "losses have too many axes": values("surface/loss", (2, 2, 2)),
    "norms are missing": group_for("surface/relative_direction_norm"),
    "a summary is a number": attribute("summary", "[3]"),
    "arguments are nested": attribute("arguments", "[" * 500 + "]" * 500),
    "the summary is nested": attribute("summary", f'[{{"loss": {"[" * 99}{"]" * 99}}}]'),
    "its version is long": attribute("version", "1" * 50_000),
}
READERS = ("figures", "figures.page", "figures.surface", "landscape.topology", "minima.results")


@pytest.mark.parametrize("what", EDITS)
@pytest.mark.parametrize("reader", READERS)
def test_what_does_not_fit_together_is_refused_or_left_out(
    what: str, reader: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_memory((folder / "surface.h5").read_bytes()) as file:
        EDITS[what](file)
        seal(file)
        file.flush()
        (folder / "forged.h5").write_bytes(file.id.get_file_image())
    out = {"figures": "-o pictures", "minima.results": ""}.get(reader, "--overwrite -o out.h5")
    line = f"{reader} forged.h5 {out if reader == 'landscape.topology' else out.replace('--overwrite ', '')}"
    capsys.readouterr()
    status = typed(line, folder, monkeypatch)
    said = capsys.readouterr()
    assert status in (0, 1)
    assert "not a message you should see" not in said.err
    assert "Traceback" not in said.err
    assert max(map(len, said.err.splitlines() or [""])) < 1500
    if status == 1:
        assert "forged.h5" in said.err


def test_the_middle_of_a_line_that_no_screen_holds_is_left_out() -> None:
    said = str(BadInput(f"x.h5 has version {'1' * 50_000}. Make it again\nnow"))
    assert said.startswith("x.h5 has version 111")
    assert said.endswith("1. Make it again\nnow")
    assert len(said) < 1100
