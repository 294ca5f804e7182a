"""A sample of what `make torture` does whole: crashes and failures at single operations, and the same line again."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.campaign import ALL, Campaign
from faults.trials import Server, again, compiled, trial

DRAWN = {"train": 5, "gradual": 4, "surface": 4, "hessian": 4, "psp": 3}
"""trials of each command"""
LAST = 9
"""operations of a run with a trajectory in which its files take their names and what it kept is removed"""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("faults")
    shim = compiled(folder)
    if shim is None:
        pytest.skip("there is no C compiler (cc) to make the shim with")
    with Server(folder, shim) as server:
        yield Campaign(folder, server)


@pytest.mark.parametrize("name", DRAWN)
def test_a_fault_at_any_operation_costs_nothing(campaign: Campaign, name: str) -> None:
    every = list(campaign.trials(name, ALL))
    for mode, number in [each[1:] for each in random.Random(name).sample(every, DRAWN[name])]:
        assert campaign.attempt(name, mode, number) == [], (mode, number)


def test_a_kill_where_several_files_are_completed_costs_nothing(campaign: Campaign) -> None:
    _, operations = campaign.whole("train")
    for number in range(len(operations) - LAST, len(operations) + 1, 2):
        assert campaign.attempt("train", "before", number) == [], operations[number - 1]


def test_a_study_goes_on_under_a_clock_that_was_set_back(campaign: Campaign, tmp_path: Path) -> None:
    """What is finished was made a year from now: it stays, and what is made of it carries an earlier date."""
    whole, _ = campaign.whole("study")
    folder, ahead = tmp_path / "study", time.time() + 365 * 24 * 3600
    shutil.copytree(whole, folder)
    for path in folder.glob("*/*magnitude*"):
        path.unlink()
    for path in folder.rglob("*"):
        os.utime(path, (ahead, ahead))
    finished = {path: path.stat().st_ino for path in [*folder.glob("runs/*"), *folder.glob("out/*.h5")]}
    trouble, _ = again(campaign.server, campaign.commands["study"], whole, folder)
    assert trouble == []
    assert {path: path.stat().st_ino for path in finished} == finished


def test_a_result_that_is_spoilt_is_noticed(campaign: Campaign, tmp_path: Path) -> None:
    """The harness itself: a command that loses something would be seen."""
    command, (whole, operations) = campaign.commands["surface"], campaign.whole("surface")
    (tmp_path / "whole").mkdir()
    content = bytearray((whole / "t.h5").read_bytes())
    content[content.index(b"cross-entropy")] ^= 1
    (tmp_path / "whole/t.h5").write_bytes(content)
    found, _ = trial(campaign.server, command, tmp_path / "whole", tmp_path / "run", "before", len(operations) // 2)
    assert found
    assert "differs" in found[0] or "cannot be read" in found[0]


def test_work_that_is_done_twice_is_noticed(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself: where the line is typed in a folder without what the killed run has kept."""
    command, (_, operations) = campaign.commands["surface"], campaign.whole("surface")
    run, kept = campaign.server.run, campaign.folder / "trial"

    def forgetful(*given: Any, **named: Any) -> Any:
        if given[2:3] == ("log",):
            for path in kept.glob(".*"):
                path.unlink()
        return run(*given, **named)

    monkeypatch.setattr(campaign.server, "run", forgetful)
    assert campaign.attempt("surface", "before", len(operations) - 10) != []
    assert command.repeats < len(operations) / 2


def test_a_signal_at_a_random_moment_costs_nothing(campaign: Campaign) -> None:
    assert campaign.interrupt("surface", 0, most=3) == []
