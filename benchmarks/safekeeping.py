"""What trust costs: `python -m benchmarks.safekeeping`, and with `--what checks`.

Checksums and journals of a default `minima.train` and `landscape.surface`; checks of derivatives and of rewritten
passes in a default `landscape.hessian` and `landscape.surface`. Every run is a fork of one process that has imported
everything; the functions in question are timed in it, and what counts is their share of the processor's time of that
same run, that of the system and of processes that it started included: neither other work on the machine nor a second
run is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from benchmarks.kept import keep
from minima.store.command import Command, Report, render_table, run

OUT = Path("out/benchmarks/safekeeping.json")
What = Literal["safekeeping", "checks"]
TIMED = {
    "safekeeping": (
        ("minima.store.journal", "Journal", ("__init__", "take", "add", "clear")),
        ("minima.store.canonical", "Canonical", ("add", "add_kind", "add_piece", "hexdigest")),
        ("minima.store.hdf5.digest", "", ("seal", "verify")),
        ("minima.store.reading", "", ("sha256",)),
        ("minima.store.checkpoints.checkpoint", "", ("_check_digest",)),
    ),
    "checks": (
        ("landscape.objective.derivatives.check", "DerivativeCheck", ("before_the_first",)),
        ("landscape.passes.checks", "Checks", ("compare",)),
    ),
}
"""module, class, functions: of a call inside another the time counts once"""
COMMANDS: dict[str, tuple[str, ...]] = {"safekeeping": ("surface",), "checks": ("hessian", "surface")}
"""of `landscape`, which are timed"""


@dataclass(frozen=True, kw_only=True)
class Safekeeping(Command):
    """What journals and checksums, or checks of derivatives and passes, cost in the processor's time of commands."""

    what: What = "safekeeping"
    """journals and checksums, or checks"""
    rounds: int = 3
    """how often each is run"""
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
        lines = {"minima.train": [*made, "t.pt"]}
        measuring = [f"landscape.{command}" for command in COMMANDS[arguments.what]]
        lines |= {name: [name, "t.pt", "-o", f"{name}.h5"] for name in measuring}
        turns = [(name, line) for _ in range(arguments.rounds) for name, line in lines.items()]
        runs = [(name, _spent(line, arguments.what)) for name, line in turns]
    conditions = {
        **{"what": arguments.what, "rounds": arguments.rounds, "network": arguments.network},
        **{"threads": 1, "torch": torch.__version__},
    }
    each = {name: [spent for other, spent in runs if other == name] for name in lines}
    keep(OUT, conditions | {"seconds": each})
    rows = []
    for name, spent in each.items():
        shares = [100 * inside / whole for inside, whole in spent]
        whole = median(whole for _, whole in spent)
        rows.append([name, whole, median(inside for inside, _ in spent), median(shares), max(shares)])
    columns = ["command", "CPU s", "of them", "share, %", "largest"]
    return Report(conditions | {"seconds": each}, render_table(columns, rows))


def _spent(line: list[str], what: What) -> tuple[float, float]:
    """The processor's seconds inside the timed functions, and of a command in a fork altogether."""
    Path(line[-1]).unlink(missing_ok=True)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os._exit(_run(line, what, writing))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        inside = pipe.read()
    _, status, used = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(line)} ended with {os.waitstatus_to_exitcode(status)}")
    return float(json.loads(inside)), used.ru_utime + used.ru_stime


def _run(line: list[str], what: What, writing: int) -> int:
    """The child."""
    import runpy

    with open(os.devnull, "w") as nowhere:
        for number in (1, 2):
            os.dup2(nowhere.fileno(), number)
    clock = Clock()
    clock.watch(what)
    sys.argv, code = line, 0
    try:
        runpy.run_module(line[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        code = 1
    os.write(writing, json.dumps(clock.seconds).encode())
    return code


class Clock:
    """Processor's seconds of this process inside some functions, together."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def watch(self, what: What) -> None:
        """Put a timer around every function of `TIMED`, wherever it is known."""
        for module, of, names in TIMED[what]:
            __import__(module)
            for name in names:
                holder = getattr(sys.modules[module], of) if of else sys.modules[module]
                own = getattr(holder, name)
                setattr(holder, name, self._timed(own))
                for other in list(sys.modules.values()):
                    if not of and getattr(other, name, None) is own:
                        setattr(other, name, getattr(holder, name))

    def _timed(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            began, self._depth = time.process_time(), self._depth + 1
            try:
                return own(*arguments, **named)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.process_time() - began

        return timed


if __name__ == "__main__":
    for name in ("torch", "torch.func", "h5py", "scipy.linalg", "sklearn.datasets", "minima.zoo.subject.subject"):
        __import__(name)
    run(Safekeeping, main, prog="python -m benchmarks.safekeeping")
