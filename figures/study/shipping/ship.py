"""Shipping: the finished jobs of a study that lies here, each into its file."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from figures.study.engine.jobs import Job, Plan
from figures.study.engine.record import made_by
from figures.study.shipping.archive import RESULTS, Shipped, archive_of, write_archive
from figures.study.shipping.store import results_files
from minima.store.command import note
from minima.store.provenance import versions
from minima.store.reading import sha256

SECONDS = re.compile(r"^processor seconds: ([\d.]+) user, ([\d.]+) system$", re.MULTILINE)

NUMBERS = ("cpu family", "model", "stepping")
"""what tells types of processors apart in /proc/cpuinfo"""


def ship(plan: Plan, folder: Path = RESULTS) -> list[Path]:
    """Ship every job of the study in the current directory that is whole and not shipped yet.

    A job is whole when all its files are there, made by the commands of this plan; figures are not shipped. A job whose
    files, or those that it read, are gone again is left as it was shipped.

    Returns:
        the files that were written.
    """
    made, written = made_by(), []
    for job in plan.jobs:
        target = archive_of(folder, plan.name, job.name)
        if job.shows or target.exists() or not _whole(job, made):
            continue
        missing = [file for file in job.needs if not Path(file).exists()]
        if missing:
            note(f"{job.name} is not shipped: {missing[0]}, which it read, is gone, so that its hash cannot be told")
            continue
        results = {Path(file).name: Path(file).read_bytes() for file in results_files(job)}
        write_archive(target, _record(plan, job), results)
        written.append(target)
    return written


def _record(plan: Plan, job: Job) -> Shipped:
    return Shipped(
        study=plan.name,
        job=job.name,
        stage=job.stage,
        commands=tuple(step.line for step in job.steps),
        needs={Path(file).name: sha256(Path(file)) for file in job.needs},
        makes={Path(file).name: sha256(Path(file)) for file in job.makes},
        versions=versions(),
        processor=processor(),
        clock=_clock(Path(job.log)),
    )


def _whole(job: Job, made: dict[str, str]) -> bool:
    """Whether each step's files are there and were made by its command."""
    return all(Path(file).is_file() and made.get(file) == step.line for step in job.steps for file in step.makes)


def processor() -> str:
    """Its type, as Linux tells it: rounding, and so every trained weight, depends on it.

    A virtual machine often has no more than a maker's name, so the numbers of family, model and stepping are told.
    """
    told = Path("/proc/cpuinfo")
    about = dict(re.findall(r"^([a-z ]+?)\s*: (.+)$", told.read_text(), re.MULTILINE)) if told.is_file() else {}
    if "model name" not in about:
        return platform.processor() or platform.machine()
    numbers = ", ".join(f"{key.removeprefix('cpu ')} {about[key]}" for key in NUMBERS if key in about)
    return f"{about['model name']} ({numbers})" if numbers else about["model name"]


def _clock(log: Path) -> dict[str, float]:
    found = SECONDS.findall(log.read_text(errors="replace")) if log.is_file() else []
    return {"processor_seconds": round(sum(map(float, found[-1])), 2)} if found else {}
