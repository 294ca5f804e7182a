"""What is shipped of a study: its jobs, how far it is, and its results files laid out again as the study made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.reading.names import OUT
from figures.study.engine.jobs import Job, Plan
from figures.study.shipping.archive import Shipped, archive_of, read_record, read_results
from minima.store.files import write_atomically


@dataclass(frozen=True)
class Progress:
    """How much of a study is shipped."""

    jobs: int
    done: int
    networks: int
    networks_done: int
    hours: float
    """processor hours of the jobs that are done"""

    @property
    def said(self) -> str:
        """How far the study is, in a line."""
        partial = "" if self.done == self.jobs else "**partial**: "
        return (
            f"{partial}{self.done} of {self.jobs} jobs, {self.networks_done} of {self.networks} networks, "
            f"{self.hours:.1f} processor hours"
        )


def shipped_jobs(plan: Plan, folder: Path) -> dict[str, Shipped]:
    """The records of the plan's jobs that are shipped, by name of the job."""
    paths = {job.name: archive_of(folder, plan.name, job.name) for job in plan.jobs}
    return {name: read_record(path) for name, path in paths.items() if path.is_file()}


def progress(plan: Plan, shipped: dict[str, Shipped]) -> Progress:
    """How far a study is, figures aside."""
    jobs = [job for job in plan.jobs if not job.shows]
    spent = sum(each.clock.get("processor_seconds", 0.0) for each in shipped.values())
    made = [file for each in shipped.values() for file in each.makes]
    asked = [file for job in jobs for file in job.makes]
    return Progress(len(jobs), len(shipped), _networks(asked), _networks(made), spent / 3600)


def results_files(job: Job) -> list[str]:
    """The files of a job that are shipped: its results, not the weights along a training."""
    return [file for file in job.makes if file.endswith(".h5") and not file.endswith(".trajectory.h5")]


def has_results(plan: Plan, folder: Path) -> bool:
    """Whether anything of the plan is shipped but the making of networks."""
    return any(results_files(job) and archive_of(folder, plan.name, job.name).is_file() for job in plan.jobs)


def lay_out(plan: Plan, folder: Path, into: Path, jobs: Iterable[str]) -> list[str]:
    """Write the results files of shipped jobs below `into`, under the names that the study gave them; their names."""
    (into / OUT).mkdir(parents=True, exist_ok=True)
    written = []
    for job in jobs:
        for name, content in read_results(archive_of(folder, plan.name, job)).items():
            write_atomically(into / OUT / name, content)
            written.append(f"{OUT}/{name}")
    return written


def _networks(files: Sequence[str]) -> int:
    return sum(file.endswith(".pt") for file in files)
