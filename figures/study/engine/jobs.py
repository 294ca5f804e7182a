"""What a study asks the engine to do: jobs of a few commands each, the files they need and make."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from shlex import join
from typing import Any

from figures.reading.names import LOGS

CHAIN = "figures.study.engine.chain"
LONGEST_LINE = 120_000
"""bytes; Linux hands a shell no more than 131,072 in one piece"""
SHOWING = ("draw", "page")
"""stages of jobs that show results"""


@dataclass(frozen=True)
class Step:
    """One command of a job."""

    module: str
    """what is typed behind `python -m`"""
    given: tuple[str, ...]
    """the words that the study itself chooses"""
    flags: tuple[str, ...]
    """those that its configuration adds"""
    makes: tuple[str, ...]
    """files"""
    asked: str = ""
    """the key of the configuration that holds the flags"""

    @property
    def line(self) -> str:
        """What is typed behind `python -m`, quoted for a shell.

        >>> Step("entropy.psp", ("a b.pt",), ("--samples", "$(ls)"), ("a.h5",)).line
        "entropy.psp 'a b.pt' --samples '$(ls)'"
        """
        return join((self.module, *self.given, *self.flags))


@dataclass(frozen=True)
class Job:
    """Steps done one after the other; it fails by itself, and stopped half-way it takes over what is made already."""

    stage: str
    """what the jobs of one kind are called, one word of small letters"""
    name: str
    """unique among all jobs; the log is called by it"""
    needs: tuple[str, ...]
    """files of other jobs, or ones that are there"""
    steps: tuple[Step, ...]

    @property
    def makes(self) -> tuple[str, ...]:
        """The files of all steps."""
        return tuple(file for step in self.steps for file in step.makes)

    @property
    def shows(self) -> bool:
        """Whether all it makes are pictures or a page, which are not shipped: results that are make them again."""
        return self.stage in SHOWING

    @property
    def log(self) -> str:
        """Where everything goes that the commands say."""
        return f"{LOGS}/{self.name}.log"

    @property
    def rule(self) -> str:
        """The name for Snakemake, whose first word is the stage.

        >>> Job("prune", "digits-lenet5-seed0.gmp-0.9", (), ()).rule
        'prune_digits_lenet5_seed0__gmp_0__9'
        """
        return f"{self.stage}_{self.name.replace('-', '_').replace('.', '__')}"

    @property
    def line(self) -> str:
        """What is typed behind `python -m`: several commands share a process, since starting torch costs seconds."""
        lines = [step.line for step in self.steps]
        return lines[0] if len(lines) == 1 else join((CHAIN, *lines))


@dataclass(frozen=True)
class Plan:
    """All jobs of a study, and what has to be there in the end."""

    name: str
    """of the study"""
    jobs: tuple[Job, ...]
    targets: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """What the Snakefile reads; of the jobs that can be done, those that are listed first come first."""
        jobs = [
            {
                "rule": job.rule,
                "needs": job.needs,
                "makes": job.makes,
                "line": job.line,
                "log": job.log,
                "priority": len(self.jobs) - place,
            }
            for place, job in enumerate(self.jobs)
        ]
        return {"targets": self.targets, "jobs": jobs}

    def behind(self, failed: Collection[str]) -> list[Job]:
        """The jobs that need what jobs with these logs should have made, directly or not, in their order."""
        missing = {file for job in self.jobs if job.log in failed for file in job.makes}
        waiting: list[Job] = []
        for job in _ordered(self.jobs):
            if job.log not in failed and missing & set(job.needs):
                waiting.append(job)
                missing |= set(job.makes)
        return waiting


def planned(name: str, jobs: Sequence[Job], targets: Sequence[str] | None = None) -> Plan:
    """The plan of the jobs that the targets need (default: of all).

    Raises:
        ValueError: two jobs have one name, or make one file: a mistake of who listed them.
    """
    maker = {file: job for job in jobs for file in job.makes}
    if len(maker) < sum(len(job.makes) for job in jobs) or len({job.name for job in jobs}) < len(jobs):
        raise ValueError(f"two jobs of the study {name} have one name or make one file")
    if targets is None:
        return Plan(name, tuple(jobs), tuple(maker))
    wanted, needed = list(targets), set[str]()
    while wanted:
        job = maker.get(wanted.pop())
        if job and job.name not in needed:
            needed.add(job.name)
            wanted += job.needs
    return Plan(name, tuple(job for job in jobs if job.name in needed), tuple(targets))


def _ordered(jobs: Sequence[Job]) -> list[Job]:
    """Each behind those that it needs."""
    maker = {file: job for job in jobs for file in job.makes}
    graph = {job: {maker[file] for file in job.needs if file in maker} for job in jobs}
    return list(TopologicalSorter(graph).static_order())
