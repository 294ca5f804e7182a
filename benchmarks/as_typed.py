"""What commands take as a user types them: default flags, a network of one's own, in plain passes of the same threads.

A ResNet-20 with strided and padded shortcuts (`benchmarks/padded_resnet.py`) and its twin of the zoo, trained on the
digits enlarged to 32 x 32. Each command runs as a process of its own; what it takes with a point or an example as good
as none (its start) is subtracted. Floors are timed before and after the commands, in processes of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

from benchmarks.kept import keep
from minima.store.command import Command, Report, note, render_table, run

FOLDER = Path("out/benchmarks")
OUT = FOLDER / "as_typed.json"
NETWORKS = {"foreign": "benchmarks/padded_resnet.py:make", "zoo": "resnet20"}
DATA = "benchmarks/digits32.py:make"
FLOOR = """
import sys, time, torch
from pathlib import Path
from statistics import median
from minima.zoo.subject.subject import load_subject
subject = load_subject(Path(sys.argv[1]), model=sys.argv[4], data=sys.argv[2], samples=int(sys.argv[3]))
network, x, y, size = subject.model.eval(), subject.x, subject.y, 100
weights = [weight for weight in network.parameters() if weight.requires_grad]
def forward():
    with torch.no_grad():
        for first in range(0, len(x), size):
            network(x[first : first + size])
def both():
    for first in range(0, len(x), size):
        loss = torch.nn.functional.cross_entropy(network(x[first : first + size]), y[first : first + size])
        torch.autograd.grad(loss, weights)
def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
for work in (forward, both)[: 1 + (sys.argv[5] == "both")]:
    work()
    print(median(seconds(work) for _ in range(5)))
"""


@dataclass(frozen=True, kw_only=True)
class AsTyped(Command):
    """What surfaces, eigenvalues and PSP-entropy take as typed, in plain passes."""

    threads: tuple[int, ...] = (1, 2)
    """of the processor, one table each"""
    rounds: int = 1
    """how often each command is run, in turn; medians are told"""
    images: int = 1024
    """examples of the train split for eigenvalues and PSP-entropy"""
    surface_images: int = 256
    """the same for surfaces"""
    grid: int = 15
    """points a side of the surface"""
    commands: tuple[Literal["surface", "hessian", "psp"], ...] = ("surface", "hessian", "psp")
    """which are timed"""
    data: str = DATA
    """what `--data` says to them"""


def main(arguments: AsTyped) -> Report:
    """Time every command; write the JSON and return the table."""
    paths = {name: _trained(name, model) for name, model in NETWORKS.items()}
    rows = []
    for threads in arguments.threads:
        for _ in range(arguments.rounds):
            for name, path in paths.items():
                rows += [[name, threads, *row] for row in _costs(path, threads, arguments)]
    found: dict[tuple[Any, ...], list[float]] = {}
    for *key, passes in rows:
        found.setdefault(tuple(key), []).append(passes)
    table = [[*key, median(passes)] for key, passes in found.items()]
    keep(OUT, {"rounds": arguments.rounds, "rows": table})
    heads = ["network", "threads", "command", "in", "passes"]
    return Report({"rounds": arguments.rounds, "rows": table}, render_table(heads, table))


def _costs(path: Path, threads: int, arguments: AsTyped) -> list[list[Any]]:
    """Rows of command, unit and passes."""
    many, few, grid, data = arguments.images, arguments.surface_images, arguments.grid, arguments.data
    difference = partial(_difference, path, data, threads)
    rows: list[list[Any]] = []
    if "surface" in arguments.commands:
        taken = difference("landscape.surface", ("--samples", str(few), "--grid"), (str(grid), "3"), few, "forward")
        rows.append(["surface, a point", "forward", taken / (grid**2 - 9)])
    if "hessian" in arguments.commands:
        taken = difference("landscape.hessian", ("--samples",), (str(many), "16"), many, "both")
        rows.append(["top 5 eigenvalues", "forward+backward", taken])
    if "psp" in arguments.commands:
        taken = difference("entropy.psp", ("--split", "train", "--samples"), (str(many), "16"), many, "forward")
        rows.append(["PSP-entropy", "forward", taken])
    return rows


def _difference(
    path: Path,
    data: str,
    threads: int,
    command: str,
    flags: tuple[str, ...],
    ends: tuple[str, str],
    images: int,
    passes: Literal["forward", "both"],
) -> float:
    """Seconds of a command less those of its start, in plain passes forward, or forward and backward."""
    before = _floor(path, data, threads, images, passes)
    whole, start = (_seconds(path, data, threads, command, (*flags, end)) for end in ends)
    plain = (before + _floor(path, data, threads, images, passes)) / 2
    note(f"{path.stem}: {command} took {whole:.1f} s, {start:.1f} s of them its start; plain passes {plain:.3g} s")
    return (whole - start) / plain


def _seconds(path: Path, data: str, threads: int, command: str, flags: tuple[str, ...]) -> float:
    out = FOLDER / "as_typed.h5"
    out.unlink(missing_ok=True)
    line = [sys.executable, "-m", command, str(path), "--model", _model(path), "--data", data, *flags, "-o", str(out)]
    begin = time.perf_counter()
    subprocess.run(line, check=True, capture_output=True, env=_environment(threads))
    return time.perf_counter() - begin


def _floor(path: Path, data: str, threads: int, images: int, passes: Literal["forward", "both"]) -> float:
    """Seconds of a plain pass forward, or forward and backward."""
    line = [sys.executable, "-c", FLOOR, str(path), data, str(images), _model(path), passes]
    done = subprocess.run(line, check=True, capture_output=True, text=True, env=_environment(threads))
    return float(done.stdout.split()[-1])


def _trained(name: str, model: str) -> Path:
    path = FOLDER / f"as_typed-{name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "-m", "minima.train", "--model", model, "--data", DATA, "--epochs", "3", "-o", str(path)]
    subprocess.run(line, check=True, capture_output=True)
    return path


def _model(path: Path) -> str:
    return NETWORKS[path.stem.rpartition("-")[2]]


def _environment(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads)}


if __name__ == "__main__":
    run(AsTyped, main, prog="python -m benchmarks.as_typed")
