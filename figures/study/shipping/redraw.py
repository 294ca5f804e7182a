"""Redrawing: every figure and table of a study out of what is shipped of it, also while it is not whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

from figures.study.configuration.study import Study
from figures.study.engine.jobs import CHAIN, Job, Step
from figures.study.shipping.sources import sources
from figures.study.shipping.store import lay_out, shipped_jobs
from figures.study.shipping.trace import places_on
from figures.study.verdicts.places import SOURCES
from minima.store.command import BadInput
from minima.store.files import write_atomically

ROOT = Path(__file__).parents[3]
LINKING = "figures.study.claims.table"
"""draws a table whose numbers link to the page of sources"""


def redraw(study: Study, folder: Path, out: Path, name: str = "") -> list[Path]:
    """Draw a study's figures from its shipped results into the folder `out`, and conclude from them as a run does.

    A figure none of whose results are shipped is left out. Beside pages with numbers stands one of their sources.

    Args:
        name: of the study as it is typed (default: that of its plan).

    Returns:
        the files written.

    Raises:
        BadInput: nothing is shipped of the study, or a figure could not be drawn.
    """
    plan = study.plan()
    shipped = shipped_jobs(plan, folder)
    absent = {file for job in plan.jobs if job.name not in shipped and not job.shows for file in job.makes}
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        there = {*lay_out(plan, folder, place, shipped)}
        if not there:
            raise BadInput(f"{folder / plan.name}: no results of the study {plan.name} are shipped")
        drawn = [job for job in (_reading_only(each, there) for each in plan.jobs if each.stage == "draw") if job]
        made = [file for job in drawn for file in job.makes]
        for parent in {(place / file).parent for file in made}:
            parent.mkdir(parents=True, exist_ok=True)
        _run([step.line for job in drawn for step in job.steps], place)
        made += _concluded(study, absent, place)
        out.mkdir(parents=True, exist_ok=True)
        written = [Path(shutil.copyfile(place / file, out / Path(file).name)) for file in made]
    places = places_on(out)
    if places:
        page = out / SOURCES
        write_atomically(page, sources(name or plan.name, places, shipped, folder, out).encode())
        written.append(page)
    return written


def _concluded(study: Study, absent: set[str], place: Path) -> list[str]:
    """What the study writes of the results in a folder once its jobs are done: new files, relative to the folder."""
    before = set(place.rglob("*"))
    with chdir(place):
        study.conclude(absent, SOURCES)
    return sorted(str(path.relative_to(place)) for path in set(place.rglob("*")) - before if path.is_file())


def _reading_only(job: Job, there: set[str]) -> Job | None:
    """The job with those of its results that are there; None without any."""
    absent = {file for file in job.needs if file.endswith(".h5")} - there
    if not (set(job.needs) & there):
        return None
    steps = tuple(replace(step, given=_given(step, absent)) for step in job.steps)
    return replace(job, steps=steps)


def _given(step: Step, absent: set[str]) -> tuple[str, ...]:
    given = tuple(word for word in step.given if word not in absent)
    return (*given, "--sources", SOURCES) if step.module == LINKING else given


def _run(lines: list[str], place: Path) -> None:
    """Draw, in one process that has loaded what all of them need; none is started for nothing."""
    if not lines:
        return
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "0"}
    command = [sys.executable, "-m", CHAIN, *lines]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(f"a figure could not be drawn:\n{done.stderr.strip()[-1500:]}")
