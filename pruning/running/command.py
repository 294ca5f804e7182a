"""`python -m pruning METHOD`: from flags to finished checkpoints, and what is said about them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import load
from minima.store.command import Report, note, render_table
from minima.store.reading import sha256
from minima.zoo.data.splits import said_levels, score_column
from minima.zoo.training.unfinished import reusable, tidy
from pruning.running.arguments import Prune
from pruning.running.job import plan_jobs
from pruning.running.run import run_job

if TYPE_CHECKING:
    from pruning.running.job import Job

COLUMNS = {
    "out": "checkpoint",
    "sparsity": "sparsity",
    "units": "units removed",
    "flops": "multiply-adds removed",
    "parameters": "parameters removed",
    "latency": "time removed",
    "frozen": "frozen, not removed",
    "reached": "reached",
    "connected": "input reaches output",
    "zeros_kept": "kept, but exactly 0",
    "rank_agreement": "agreement of ranks",
    "epochs": "epochs",
    "loss": "test loss",
    "score": "test score",
}
"""of the table, by their names in the JSON object"""
OF_UNITS = ("units", "flops", "parameters", "latency")
"""shares that methods remove which remove whole units"""
USUAL = {
    "units": None,
    "flops": None,
    "parameters": None,
    "latency": None,
    "frozen": 0.0,
    "connected": True,
    "zeros_kept": 0,
    "rank_agreement": None,
}
"""a column is left out where all its rows say so"""


def main(arguments: Prune) -> Report:
    """Run every job whose checkpoints are not there yet."""
    rows = [row for job in plan_jobs(arguments) for row in _make(job, arguments)]
    shown = [key for key in COLUMNS if key not in USUAL or any(row[key] != USUAL[key] for row in rows)]
    names = COLUMNS | {"score": f"test {score_column(rows)}"}
    table = render_table([names[key] for key in shown], [[_cell(key, row[key]) for key in shown] for row in rows])
    summary = rows[0] if len(rows) == 1 else {key: [row[key] for row in rows] for key in rows[0]}
    return Report({"checkpoint": str(arguments.checkpoint), "method": arguments.method.name} | summary, table)


def _make(job: Job, arguments: Prune) -> list[dict[str, Any]]:
    """The job's checkpoints, made or found, one row each."""
    identity = job.identity()
    found = [reusable(target, identity, arguments.overwrite) for target in job.targets.values()]
    # what exists is ours by now; the trajectory belongs to the last, so the others seem to lack theirs
    reused = found[-1] is not None and all(target.exists() for target in job.targets.values())
    start = time.perf_counter()
    if reused:
        note(f"{', '.join(map(str, job.targets.values()))}: there already, made with these arguments")
        tidy(job.targets[job.asked[-1]], identity)
    else:
        run_job(job)
    seconds = time.perf_counter() - start
    return [_row(sparsity, target, reused, seconds) for sparsity, target in job.targets.items()]


def _cell(key: str, value: Any) -> Any:
    """What the table says of whether a path is left."""
    if key in OF_UNITS:
        return f"{value:.4g}"
    return {True: "yes", False: "NO: the network is cut", None: "unknown"}[value] if key == "connected" else value


def _rank_agreement(cuts: list[dict[str, Any]]) -> float | None:
    """Spearman's correlation of two estimates of the scores, the lowest of all cuts; None where all were exact."""
    found = [cut["agreement"]["spearman"] for cut in cuts if "agreement" in cut]
    return min(found, default=None)


def _row(asked: float, target: Path, reused: bool, seconds: float) -> dict[str, Any]:
    metrics = load(target).metrics
    return {
        "out": str(target),
        "sha256": sha256(target),
        "asked": asked,
        "sparsity": metrics["sparsity"],
        **{measure: metrics.get("removed", {}).get(measure) for measure in OF_UNITS},
        "frozen": metrics["frozen"],
        "reached": metrics["reached"],
        "connected": metrics["connected"],
        "zeros_kept": metrics["zeros_kept"],
        "rank_agreement": _rank_agreement(metrics["cuts"]),
        "epochs": metrics["epochs"],
        **said_levels(metrics),
        "reused": reused,
        "seconds": seconds,
    }
