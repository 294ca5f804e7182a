"""A study from its file to its conclusion."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from figures.study.configuration.toml_file import bundled, find_study
from figures.study.engine.engine import Outcome, run_jobs
from figures.study.engine.jobs import Job, Plan
from figures.study.flags import StudyFlags
from figures.study.kinds import read_study
from figures.study.shipping.archive import results_of
from figures.study.shipping.remaining import remaining
from figures.study.shipping.ship import ship
from minima.store.command import BadInput, Report, note, render_table

LOGS_NAMED = 20


def run_study(arguments: StudyFlags) -> Report:
    """Make and measure what is not there yet, then conclude from all that is.

    Raises:
        BadInput: the file is wrong, or jobs failed, which are named after everything else was done.
    """
    if arguments.study == "list":
        return tell_bundled()
    if arguments.cores < 1:
        raise BadInput(f"--cores {arguments.cores}: expected 1 or more")
    path = find_study(arguments.study)
    study = read_study(path)
    plan = study.plan()
    shipping: Callable[[], object] = _nothing
    todo = plan
    if arguments.ship and not arguments.dry:
        folder = arguments.results or results_of(arguments.study)
        shipping = partial(ship, plan, folder)
        shipping()
        todo = remaining(plan, folder)
    outcome = run_jobs(todo, arguments.cores, dry=arguments.dry, overwrite=arguments.overwrite, finished=shipping)
    shipping()
    if outcome.error:
        raise BadInput(f"{outcome.explained}\n{outcome.error}")
    if arguments.dry:
        return Report({"jobs": 0, "planned": outcome.planned}, f"nothing was run: {outcome.planned} jobs to do")
    failed = [job for job in plan.jobs if Path(job.log) in outcome.failed]
    waiting = plan.behind({job.log for job in failed})
    conclusion = study.conclude({file for job in (*failed, *waiting) for file in job.makes})
    if failed:
        note(conclusion.text)
        raise BadInput(_told(plan, failed, waiting))
    done = f"{outcome.done} jobs done" if outcome.done else "nothing to do"
    return Report(_summary(outcome) | conclusion.summary, f"{conclusion.text}\n\n{done}")


def tell_bundled() -> Report:
    """The studies that come with the suite: name, kind, and the first line of each file."""
    rows = []
    for name, path in bundled().items():
        text = path.read_text()
        table = tomllib.loads(text)
        rows.append([name, table.get("kind", f"like {table.get('like')}"), text.partition("\n")[0].lstrip("# ")])
    return Report({"studies": [row[0] for row in rows]}, render_table(["study", "kind", "what it is"], rows))


def _nothing() -> None:
    """Where nothing is shipped."""


def _summary(outcome: Outcome) -> dict[str, object]:
    return {"jobs": outcome.done, "log": str(outcome.log)}


def _told(plan: Plan, failed: Sequence[Job], waiting: Sequence[Job]) -> str:
    names = [f"  {job.name}: {job.log}" for job in failed[:LOGS_NAMED]]
    names += [f"  and {len(failed) - LOGS_NAMED} more"] if len(failed) > LOGS_NAMED else []
    behind = [f"{len(waiting)} more wait for what these make"] if waiting else []
    return "\n".join(
        [
            f"{len(failed)} of {len(plan.jobs)} jobs failed; each says why in its log:",
            *names,
            *behind,
            "The same line typed again tries those that are missing",
        ]
    )
