"""What is still to be done of a study some jobs of which are shipped: they are not done again, on whichever machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from figures.study.engine.jobs import Job, Plan
from figures.study.shipping.archive import archive_of
from figures.study.shipping.store import lay_out, results_files, shipped_jobs
from minima.store.command import BadInput, note


def remaining(plan: Plan, folder: Path) -> Plan:
    """The jobs that are not shipped, and those whose networks they need and that are not here; figures are drawn anew.

    The results of the shipped jobs are laid out in the current directory where they are not there yet. Networks are
    not shipped: one that a further job needs is made again, and told.

    Raises:
        BadInput: a job was shipped that other commands had made.
    """
    shipped = shipped_jobs(plan, folder)
    for job in plan.jobs:
        if job.name in shipped and shipped[job.name].commands != tuple(step.line for step in job.steps):
            raise BadInput(
                f"{archive_of(folder, plan.name, job.name)} was made by other commands than this study's:\n"
                f"  there {'; '.join(shipped[job.name].commands)}\n  here  {'; '.join(step.line for step in job.steps)}"
            )
    absent = [job.name for job in plan.jobs if job.name in shipped and not all(map(_is_here, results_files(job)))]
    lay_out(plan, folder, Path(), absent)
    again = _again(plan, set(shipped))
    if again:
        note(f"made again, since networks are not shipped and others need them: {', '.join(job.name for job in again)}")
    jobs = tuple(job for job in plan.jobs if job.name not in shipped or job in again)
    made = {file for job in jobs for file in job.makes}
    return replace(plan, jobs=jobs, targets=tuple(file for file in plan.targets if file in made))


def _again(plan: Plan, shipped: set[str]) -> list[Job]:
    """The shipped jobs that made what jobs to be done need, directly or not, and what is not here."""
    maker = {file: job for job in plan.jobs for file in job.makes}
    wanted = [file for job in plan.jobs if job.name not in shipped for file in job.needs]
    found: dict[str, Job] = {}
    while wanted:
        file = wanted.pop()
        job = maker.get(file)
        if job and job.name in shipped and job.name not in found and not _is_here(file):
            found[job.name] = job
            wanted += job.needs
    return [job for job in plan.jobs if job.name in found]


def _is_here(file: str) -> bool:
    return Path(file).is_file()
