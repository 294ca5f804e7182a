"""What the top eigenvalue of a large network costs as it is typed: passes, products and peak memory, by its weights.

The network of each size (`benchmarks/wide.py`) is written by a process of its own and measured by another, the command
itself, whose peak is the high-water mark of its whole resident memory: interpreter, torch, network and all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kept import keep
from minima.store.command import BadInput, Command, Report, note, render_table, run

FOLDER = Path("out/benchmarks")
OUT = FOLDER / "weights.json"
NETWORKS = "benchmarks/wide.py"
WRITE = (
    "import sys, torch; from benchmarks import wide; torch.save(getattr(wide, sys.argv[1])().state_dict(), sys.argv[2])"
)
HEADS = ("weights", "basis", "products", "passes", "eigenvalue", "residual", "peak GiB", "bytes a weight", "s")


@dataclass(frozen=True, kw_only=True)
class Weights(Command):
    """Cost of the top eigenvalue against the number of weights."""

    powers: tuple[int, ...] = (5, 6, 7, 8)
    """of ten: how many weights the networks have"""
    memory: float = 8.0
    """GiB, as the command's own flag"""
    threads: int = 1
    """of the processor"""


def main(arguments: Weights) -> Report:
    """Measure every size; write the JSON and the table."""
    if not set(arguments.powers) <= {5, 6, 7, 8}:
        raise BadInput(f"--powers {' '.join(map(str, arguments.powers))}: networks are there of 5, 6, 7 and 8")
    found = [_measured(power, arguments) for power in arguments.powers]
    rows = [[each[head] for head in HEADS] for each in found]
    keep(OUT, {"memory": arguments.memory, "threads": arguments.threads, "sizes": found}, HEADS, rows)
    return Report({"sizes": found}, render_table(list(HEADS), rows))


def line_of(power: int, memory: float) -> list[str]:
    """The command as it is typed."""
    name = f"weights-1e{power}"
    flags = ["--top", "1", "--memory", f"{memory:g}", "--data-error", "none", "--eigenvectors", "drop"]
    where = ["--model", f"{NETWORKS}:make{power}", "--data", f"{NETWORKS}:examples"]
    return ["landscape.hessian", str(FOLDER / f"{name}.pt"), *where, *flags, "-o", str(FOLDER / f"{name}.h5")]


def _measured(power: int, arguments: Weights) -> dict[str, Any]:
    name, path, *flags = line_of(power, arguments.memory)
    FOLDER.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
    subprocess.run([sys.executable, "-c", WRITE, f"make{power}", path], check=True, env=environment)
    line = [sys.executable, "-m", name, path, *flags, "--overwrite", "--json"]
    log = FOLDER / "weights.log"
    with log.open("w") as errors:
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        assert process.stdout is not None
        said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    Path(path).unlink()
    told = log.read_text()
    if process.returncode:
        raise BadInput(f"{' '.join(line)}\nended with {process.returncode}: {told}")
    summary = json.loads(said)
    peak = 1024 * used.ru_maxrss
    note(f"1e{power}: {summary['products']} products, {peak / 2**30:.2f} GiB")
    return {
        "weights": summary["dimension"],
        "basis": "float32" if "in float32" in told else "float64",
        "products": summary["products"],
        "passes": summary["forward_backward_passes"],
        "eigenvalue": summary["eigenvalues"][0],
        "residual": summary["residuals"][0],
        "converged": summary["converged"],
        "peak GiB": peak / 2**30,
        "bytes a weight": peak / summary["dimension"],
        "s": summary["seconds"],
        "command": " ".join(["python -m", name, path, *flags]),
    }


if __name__ == "__main__":
    run(Weights, main, prog="python -m benchmarks.weights")
