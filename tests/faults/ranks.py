"""Ranks of a command under torchrun killed at random: `python -m faults.ranks FOLDER --count 20`, or `make torture`.

One rank, or all of them, is killed or told to end while products are made; the same line then ends in the bytes of an
undisturbed run. Each trial is a row of FOLDER/rows.jsonl, and those that have a row are not tried again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from faults.trials import ROOT

from minima.store.hdf5.results import differences

TRAIN = ("minima.train", "--model", "mlp:hidden=8", "--data", "digits:classes=0-2", "--epochs", "2", "-o", "net.pt")
MEASURE = ("landscape.hessian", "../net.pt", "--top", "2", "--trace", "300", "--samples", "100", "-o", "t.h5")
RANKS = ("torch.distributed.run", "--nproc-per-node", "2", "-m")
PATIENCE = 300
"""seconds within which a command ends, on a machine that does other things"""


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command in a folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", *words]
    return subprocess.Popen(
        line, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )


def ranks_of(parent: int) -> list[int]:
    """The processes that torchrun has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            child = f"\nPPid:\t{parent}\n" in (entry / "status").read_text()
            if child and b"\0RANK=" in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return sorted(found)


def journal(folder: Path) -> bool:
    """Whether the command has begun to keep its work."""
    return any(folder.glob(".t.h5.*.part"))


def whole(folder: Path) -> float:
    """An undisturbed run in FOLDER/whole; the seconds from its first record to its end."""
    made = folder / "whole"
    if not (folder / "seconds").exists():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        assert started(folder, *TRAIN).wait() == 0
        run = started(made, *RANKS, *MEASURE)
        while run.poll() is None and not journal(made):
            time.sleep(0.01)
        began = time.monotonic()
        assert run.wait() == 0, run.stderr and run.stderr.read()
        (folder / "seconds").write_text(str(time.monotonic() - began))
    return float((folder / "seconds").read_text())


def trial(folder: Path, seed: int, seconds: float) -> dict[str, object]:
    """One kill, and the line again: what was done, and what is not as promised."""
    draws, at = random.Random(seed), folder / "trial"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir()
    number, who = draws.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]), draws.choice(["one", "all"])
    run = started(at, *RANKS, *MEASURE)
    while run.poll() is None and not journal(at):
        time.sleep(0.01)
    time.sleep(draws.uniform(0, seconds))
    if run.poll() is None:
        ranks = ranks_of(run.pid)  # each is the head of a session of its own
        for victim in [draws.choice(ranks)] if who == "one" and ranks else [run.pid, *ranks]:
            with suppress(ProcessLookupError):
                os.kill(victim, number)
    trouble = []
    try:
        _, said = run.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        trouble.append("it did not end")
        said = ""
        run.kill()
    if "not a message you should see" in said or "HDF5" in said:
        trouble.append(f"an error in nobody's words: {said[-300:]}")
    first, kept = run.returncode, journal(at)
    again = started(at, *RANKS, *MEASURE)
    _, said = again.communicate(timeout=PATIENCE)
    if again.returncode:
        trouble.append(f"typed again, it ended with {again.returncode}: {said[-400:]}")
    else:
        trouble += [f"differs in {name}" for name in differences(at / "t.h5", folder / "whole" / "t.h5")]
    left = sorted(path.name for path in at.glob(".*"))
    trouble += [f"left over: {left}"] if left else []
    return {"seed": seed, "signal": number, "to": who, "status": first, "kept": kept, "trouble": trouble}


def main(argv: Sequence[str] | None = None) -> int:
    """So many trials in all; 1 if anything was not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=20)
    asked = parser.parse_args(argv)
    folder = asked.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    rows, seconds = folder / "rows.jsonl", whole(folder)
    tried = [json.loads(line) for line in rows.read_text().splitlines()] if rows.exists() else []
    for seed in range(len(tried), asked.count):
        tried.append(trial(folder, seed, seconds))
        with rows.open("a") as file:
            file.write(json.dumps(tried[-1]) + "\n")
    wrong = [row for row in tried if row["trouble"]]
    for row in wrong:
        print(json.dumps(row))
    print(f"{len(tried)} kills of ranks, {len(wrong)} not as promised")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
