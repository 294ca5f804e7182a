"""A clock that is set back: no byte of a result, and no decision to go on with a run or to reuse it, hangs on it."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.typed import typed

from minima.store.hdf5.results import differences

TRAIN = "minima.train --model mlp:hidden=8 --data digits:classes=0-2 --epochs 3 --keep 1 -o net.pt"
MEASURE = "entropy.psp net.trajectory.h5 -o psp.h5"
AHEAD = 365 * 24 * 3600
"""seconds"""


def set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on each look at the clock finds it ten minutes earlier than the one before."""
    ticks, began = itertools.count(1), time.time()
    monkeypatch.setattr(time, "time", lambda: began - 600 * next(ticks))
    monkeypatch.setattr(time, "time_ns", lambda: int(time.time()) * 10**9)


def stopping(after: int, work: Callable[..., None]) -> Callable[..., None]:
    """`work`, and Ctrl-C after it has been done so many times."""
    done = itertools.count(1)

    def stopped(*arguments: object) -> None:
        work(*arguments)
        if next(done) == after:
            raise KeyboardInterrupt

    return stopped


def test_a_clock_set_back_changes_no_byte_and_loses_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from minima.zoo.training.keeping import Keeper

    usual, odd = tmp_path / "usual", tmp_path / "odd"
    for folder in (usual, odd):
        folder.mkdir()
    for line in (TRAIN, MEASURE):
        assert typed(line, usual, monkeypatch) == 0
    monkeypatch.setattr("minima.zoo.training.unfinished.SECONDS_BETWEEN_SAVES", 0.0)
    with monkeypatch.context() as once:
        once.setattr(Keeper, "record", stopping(3, Keeper.record))
        assert typed(TRAIN, odd, once) == 130
    set_back(monkeypatch)
    for path in odd.iterdir():  # left by a run whose clock was a year ahead
        os.utime(path, (time.time() + AHEAD,) * 2)
    for line in (TRAIN, MEASURE):
        assert typed(line, odd, monkeypatch) == 0
    assert (odd / "net.pt").read_bytes() == (usual / "net.pt").read_bytes()
    for name in ("net.trajectory.h5", "psp.h5"):
        assert differences(odd / name, usual / name) == []
    capsys.readouterr()
    for path in odd.iterdir():
        os.utime(path, (time.time() + AHEAD,) * 2)
    for line, said in ((TRAIN, "is there already"), (MEASURE, "holds this result already")):
        assert typed(line, odd, monkeypatch) == 0
        assert said in capsys.readouterr().err
