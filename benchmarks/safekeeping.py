"""What checksums and journals cost: `python -m benchmarks.safekeeping`.

A default `landscape.surface` and a default `minima.train`, each as it is and without journals, checksums of records and
digests of files, in turn. Every run is a fork of one process that has imported everything, and what counts is its time
of the processor, that of the system and of processes that it started included: other work on the machine does not.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev

from benchmarks.kept import keep
from minima.store.command import Command, Report, render_table, run

OUT = Path("out/benchmarks/safekeeping.json")


@dataclass(frozen=True, kw_only=True)
class Safekeeping(Command):
    """What journals and checksums cost, in the processor's time of whole commands."""

    rounds: int = 5
    """how often each is run, in turn"""
    network: str = "lenet300"
    """of the zoo"""
    epochs: int = 30
    """of the training"""


def main(arguments: Safekeeping) -> Report:
    """Run everything in turn; write the JSON and return the table."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made = ["minima.train", "--model", arguments.network, "--epochs", str(arguments.epochs), "-o"]
        lines = {"minima.train": [*made, "t.pt"], "landscape.surface": ["landscape.surface", "net.pt", "-o", "t.h5"]}
        _seconds([*made, "net.pt"])
        _seconds(lines["landscape.surface"])  # once, so that what is compiled is there
        each = {name: _alternated(line, arguments.rounds) for name, line in lines.items()}
    conditions = {"rounds": arguments.rounds, "network": arguments.network, "threads": 1, "torch": torch.__version__}
    keep(OUT, conditions | {"seconds": each})
    rows = []
    for name, (kept, bare) in each.items():
        shares = [100 * (own / other - 1) for own, other in zip(kept, bare, strict=True)]
        error = stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else float("nan")
        rows.append([name, median(kept), median(bare), median(shares), error])
    columns = ["command", "CPU s", "CPU s without", "more, %", "standard error"]
    return Report(conditions | {"seconds": each}, render_table(columns, rows))


def _alternated(line: list[str], rounds: int) -> tuple[list[float], list[float]]:
    """The processor's seconds of each run as it is, and without safekeeping; the first of a round changes."""
    kept: list[float] = []
    bare: list[float] = []
    for turn in range(rounds):
        order = [(kept, None), (bare, _without)]
        for seconds, before in order if turn % 2 else order[::-1]:
            seconds.append(_seconds(line, before))
    return kept, bare


def _seconds(line: list[str], before: Callable[[], None] | None = None) -> float:
    """Of the processor, for a command in a fork."""
    Path(line[-1]).unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        os._exit(_run(line, before))
    _, status, used = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(line)} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime


def _run(line: list[str], before: Callable[[], None] | None) -> int:
    """The child."""
    import runpy

    with open(os.devnull, "w") as nowhere:
        for number in (1, 2):
            os.dup2(nowhere.fileno(), number)
    if before is not None:
        before()
    sys.argv = line
    try:
        runpy.run_module(line[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        return 1
    return 0


def _without() -> None:
    """No record is written, no digest computed, and none compared."""
    from minima.store import canonical, journal
    from minima.store.checkpoints import checkpoint
    from minima.store.hdf5 import results

    def nothing(*_: object) -> None:
        return None

    journal.Journal.add = nothing  # type: ignore[method-assign]
    canonical.Canonical.add = lambda self, *_: self  # type: ignore[method-assign]
    checkpoint._check_digest = nothing
    results.seal = nothing


if __name__ == "__main__":
    for name in ("torch", "torch.func", "h5py", "scipy.linalg", "sklearn.datasets", "minima.zoo.subject.subject"):
        __import__(name)
    run(Safekeeping, main, prog="python -m benchmarks.safekeeping")
