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
from faults.strangers import strangers
from faults.trials import CRASHES, Server, again, compiled, trial

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


def test_what_the_disk_did_not_let_go_of_is_removed_with_the_next_run_of_a_study(
    campaign: Campaign, tmp_path: Path
) -> None:
    """The jobs are finished, and the engine would not run them again."""
    whole, _ = campaign.whole("study")
    folder = tmp_path / "study"
    shutil.copytree(whole, folder)
    for name in ("runs/.two-mlp-seed0.dense.pt.lock", "out/.two-mlp-seed0.magnitude-0.5.psp.h5.part"):
        (folder / name).touch()
    trouble, _ = again(campaign.server, campaign.commands["study"], whole, folder)
    assert trouble == []


def test_a_study_goes_on_from_whatever_a_kill_leaves(campaign: Campaign) -> None:
    every = list(campaign.trials("study", CRASHES))
    for each in random.Random("study").sample(every, 3):
        assert campaign.attempt(*each) == [], each


def test_a_kill_leaves_the_state_that_was_recorded(campaign: Campaign) -> None:
    _, operations = campaign.whole("study")
    assert campaign.kill("study", "torn", [operation for operation, _ in operations].index("write", 200) + 1) == []


def test_a_folder_in_another_state_is_noticed(campaign: Campaign, tmp_path: Path) -> None:
    """The harness itself: a byte, a file, and none but these."""
    _, operations = campaign.whole("study")
    states, moment, network = campaign.states("study"), f"after {len(operations)}", "runs/two-mlp-seed0.dense.pt"
    states.restore(moment, tmp_path / "run")
    assert strangers(states, moment, tmp_path / "run") == []
    content = bytearray((tmp_path / "run" / network).read_bytes())
    content[-1] ^= 1
    (tmp_path / "run" / network).write_bytes(content)
    (tmp_path / "run/more").touch()
    assert strangers(states, moment, tmp_path / "run") == ["more", network]


def test_a_finished_file_that_is_made_again_is_noticed(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness itself: the same bytes, and another file."""
    whole, _ = campaign.whole("study")
    made, run = tmp_path / "study/out/two-mlp-seed0.dense.psp.h5", campaign.server.run
    shutil.copytree(whole, tmp_path / "study")

    def wasteful(*given: Any, **named: Any) -> Any:
        made.write_bytes(made.rename(tmp_path / "earlier").read_bytes())
        return run(*given, **named)

    monkeypatch.setattr(campaign.server, "run", wasteful)
    trouble, _ = again(campaign.server, campaign.commands["study"], whole, tmp_path / "study")
    assert f"{made.relative_to(tmp_path / 'study')} was made again" in trouble


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
