"""A journal gives back what was computed, in order, and nothing else; a killed command goes on from it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from forks.python import python

from landscape.spectrum.journal import ProductJournal
from minima.store.hdf5.results import same_content

INPUTS = [torch.arange(3.0, dtype=torch.float64), torch.ones(2, 3, dtype=torch.float64), torch.full((3,), 0.1)]


class Doubling:
    """A function that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, vectors: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return 2 * vectors.double()


def run(path: Path | None, inputs: list[torch.Tensor], limit: int = 10**6) -> int:
    """How many of the calls were computed; all results are right."""
    function, journal = Doubling(), ProductJournal(path, limit)
    remembering = journal.remembering(function)
    for vectors in inputs:
        assert torch.equal(remembering(vectors), 2 * vectors.double())
    journal.close()
    return function.calls


def test_what_is_written_is_not_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert run(path, INPUTS[:2]) == 2
    assert run(path, INPUTS) == 1
    assert run(path, INPUTS) == 0


def test_another_input_drops_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    run(path, INPUTS)
    assert run(path, [INPUTS[0], -INPUTS[1], INPUTS[2]]) == 2
    assert run(path, [INPUTS[0], -INPUTS[1], INPUTS[2]]) == 0


def test_a_torn_record_is_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    run(path, INPUTS)
    whole = path.stat().st_size
    for lost in range(1, 40):
        os.truncate(path, whole - lost)
        assert run(path, INPUTS) == 1
        assert path.stat().st_size == whole


def test_a_damaged_record_is_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    run(path, INPUTS)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert run(path, INPUTS) >= 1
        assert path.read_bytes() == whole


def test_it_holds_no_more_than_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    run(path, INPUTS, limit=50)
    assert path.stat().st_size <= 50 + 40
    assert run(path, INPUTS, limit=50) == 2
    assert run(None, INPUTS) == 3


@pytest.mark.slow
def test_a_killed_command_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    checkpoint = tmp_path / "net.pt"
    train = ["minima.train", "--model", "lenet5", "--data", "digits", "--epochs", "1", "-o", str(checkpoint)]
    subprocess.run([python(), "-m", *train], check=True, capture_output=True)
    flags = ["--samples", "500", "--trace", "12", "--density", "--density-probes", "2", "--density-steps", "10"]
    measure = [python(), "-m", "landscape.hessian", str(checkpoint), *flags, "-o"]
    subprocess.run([*measure, str(tmp_path / "whole.h5")], check=True, capture_output=True)
    for delay in (0.3, 0.7, 1.2, 1.8, 2.4):
        with subprocess.Popen([*measure, str(tmp_path / "killed.h5")], stderr=subprocess.DEVNULL) as running:
            until = time.monotonic() + 30
            while not list(tmp_path.glob(".killed.h5.*.part")) and time.monotonic() < until and running.poll() is None:
                time.sleep(0.02)
            time.sleep(delay)
            running.send_signal(signal.SIGKILL)
    subprocess.run([*measure, str(tmp_path / "killed.h5")], check=True, capture_output=True)
    assert same_content(tmp_path / "whole.h5", tmp_path / "killed.h5")
    assert not list(tmp_path.glob(".*.part"))
