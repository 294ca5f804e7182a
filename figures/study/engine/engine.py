"""Running jobs by Snakemake: alone in its folder, going on where a killed run left off, told in a few lines."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import IO

from figures.reading.names import LOGS, OUT, RUNS
from figures.study.engine.jobs import Plan
from figures.study.engine.lock import acquire
from figures.study.engine.progress import Progress
from figures.study.engine.record import check_earlier, write_record
from minima.store.files import write_atomically
from minima.store.messages import BadInput, note

SNAKEFILE = Path(__file__).with_name("Snakefile")
SECONDS_TO_END = 3.0
LOCK = Path(".snakemake/minima.lock")
JOB, DATED = (f"bash {quote(str(Path(__file__).with_name(name)))}" for name in ("job.sh", "dated.sh"))
"""run what follows the name of a log as a job; give files from the future the date of today"""
PYTHON = f"env PYTHONPATH={quote(str(Path(__file__).parents[3]))} {quote(sys.executable)} -m"
"""begins a command of the suite"""

# A job is redone when its inputs, or the flags it is called with, have changed. Not when the text of its rule has
# ("code"): reformatting a rule must not throw days of work away, and what matters of it is in the flags.
RERUN_TRIGGERS = ("mtime", "input", "params")
SYSTEM = re.compile(r"Error: \[Errno \d+\] ([^:\n]+): \\*'([^'\\\n]+)")
"""the system's error and its file in a traceback, of which Snakemake may show the text with its quotes escaped"""


@dataclass(frozen=True)
class Outcome:
    """What a run of Snakemake came to: whether all was done, and why not."""

    planned: int
    """jobs that were not done before"""
    done: int
    """of them"""
    failed: tuple[Path, ...]
    """logs of the jobs that failed; those that needed them were not begun, all others were done"""
    error: str
    """the end of what Snakemake said where it failed other than by a job; "" otherwise"""
    log: Path

    @property
    def explained(self) -> str:
        """Why not everything is done; "" if it is."""
        if not (self.failed or self.error):
            return ""
        what = f"{len(self.failed)} jobs failed" if self.failed else "Snakemake failed"
        return f"{what}; everything it said is in {self.log}"


def run_jobs(
    plan: Plan,
    cores: int,
    *,
    dry: bool = False,
    overwrite: bool = False,
    finished: Callable[[], object] = lambda: None,
) -> Outcome:
    """Do what is not done yet of a plan in the current directory, alone there: all jobs that can be done.

    Args:
        dry: only find out what would be done.
        overwrite: also what an earlier study of this name made by other commands.
        finished: called whenever a job is done.

    Raises:
        BadInput: there is such a file, and it is not to be overwritten; or Snakemake is not installed.
    """
    if find_spec("snakemake") is None:
        raise BadInput("studies are run by Snakemake, which is not installed. Type: pip install 'minima[workflow]'")
    with acquire(LOCK, note) as lock:
        if not overwrite:
            check_earlier(plan)
        for folder in (RUNS, OUT, LOGS):
            Path(folder).mkdir(parents=True, exist_ok=True)
        jobs = Path(LOGS) / f"{plan.name}.jobs.json"
        written = plan.as_json() | {"job": JOB, "dated": DATED, "python": PYTHON}
        write_atomically(jobs, json.dumps(written, indent=1).encode())
        if not dry:
            write_record(plan)
            _date(file for job in plan.jobs for file in (*job.needs, *job.makes))
        untidy = _untidy(plan)
        extra = (*(("--forcerun", *untidy) if untidy else ()), *(("--dry-run",) if dry else ()))
        settings = ("--config", f"plan={jobs}")
        return run_snakemake(SNAKEFILE, plan.name, cores, lock, settings, extra, finished)


def _date(files: Iterable[str]) -> None:
    """Give files from the future, of before the clock was set back, the date of today.

    The engine takes it for a failure of a job that its input is younger than what it has made just now.
    """
    now = time.time()
    for file in files:
        with suppress(OSError):  # one that is not there yet, or somebody else's
            if os.stat(file).st_mtime > now:
                os.utime(file)


def _untidy(plan: Plan) -> list[str]:
    """The rules of finished jobs beside whose files something hidden has stayed that the disk did not let go of.

    Their commands, typed again, remove it, and keep what is finished.
    """
    folders = {Path(file).parent for job in plan.jobs for file in job.makes}
    hidden = {folder: [path.name.lstrip(".") for path in folder.glob(".*")] for folder in folders}

    def left(file: Path) -> bool:
        own = f"{file.name}.", f"{file.stem}.trajectory.h5."
        return any(name.startswith(own) for name in hidden[file.parent])

    finished = (job for job in plan.jobs if all(map(os.path.exists, job.makes)))
    return [job.rule for job in finished if any(left(Path(file)) for file in job.makes)]


def run_snakemake(
    snakefile: Path,
    name: str,
    cores: int,
    lock: IO[bytes],
    settings: Sequence[str] = (),
    extra: Sequence[str] = (),
    finished: Callable[[], object] = lambda: None,
) -> Outcome:
    """Run a workflow under the lock of its folder.

    Args:
        name: of the log under out/logs.
        settings: flags that give the Snakefile its configuration.
        extra: further flags of Snakemake.
        finished: called whenever a job is done.
    """
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--nocolor", *settings]
    Path(LOGS).mkdir(parents=True, exist_ok=True)
    log = Path(LOGS) / f"{name}.snakemake.log"
    if any(Path(".snakemake/locks").glob("*")):  # of a run that was killed: ours says that nobody is at work
        unlocked = subprocess.run([*base, "--unlock"], stdin=lock, check=False, capture_output=True)
        if unlocked.returncode:
            log.write_bytes(unlocked.stdout + unlocked.stderr)
            return Outcome(0, 0, (), _why(log), log)
    command = [*base, "--cores", str(cores), "--rerun-triggers", *RERUN_TRIGGERS]
    # Outputs appear whole or not at all (os.replace), so a failed or killed job's are kept; the job runs again and
    # takes over what is already there.
    command += ["--rerun-incomplete", "--keep-incomplete", "--keep-going", "--scheduler", "greedy", *extra]
    progress = Progress()
    with log.open("wb") as written:
        child = subprocess.Popen(command, stdin=lock, stdout=written, stderr=subprocess.STDOUT)
    status = _attend(child, log, progress, finished)
    error = _why(log) if status and not progress.failed else ""
    return Outcome(progress.planned.total(), progress.done.total(), tuple(progress.failed), error, log)


def _attend(child: subprocess.Popen[bytes], log: Path, progress: Progress, finished: Callable[[], object]) -> int:
    """Follow the log until the child ends. Whatever ends this first (Ctrl-C, SIGTERM) ends the child and its jobs."""
    try:
        with log.open(errors="replace") as written:
            for line in _follow(written, child):
                before = progress.done.total()
                progress.feed(line)
                if progress.done.total() > before:
                    finished()
        return child.wait()
    except BaseException:
        _stop(child)
        raise


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the engine the hard way, which harms nothing here, and its jobs gently: they keep what is finished.

    Snakemake's own handler waits for a lock that a second signal may find it holding, and then it hangs.
    """
    import psutil  # type: ignore[import-untyped]

    try:
        jobs = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        jobs = []
    child.kill()
    child.wait()
    _, alive = psutil.wait_procs(jobs, timeout=SECONDS_TO_END)  # the signal may have reached them already
    for job in alive:
        job.terminate()
    psutil.wait_procs(alive, timeout=10 * SECONDS_TO_END)


def _follow(written: IO[str], child: subprocess.Popen[bytes]) -> Iterator[str]:
    """Lines as they are written, until the writer is gone."""
    rest = ""
    while True:
        ended = child.poll() is not None  # asked before reading, so that nothing is missed
        rest += written.read()
        *lines, rest = rest.split("\n")
        yield from lines
        if ended:
            return
        time.sleep(0.2)


def _why(log: Path, lines: int = 15) -> str:
    """What ended Snakemake itself: the system's error, as on a full disk, or else the end of what it said."""
    said = log.read_text(errors="replace")
    *_, last = ["", *SYSTEM.findall(said)]
    if last:
        why, path = last
        return f"{path}: {why}.\nType the same line again when that is mended: what is finished is kept"
    return "\n".join(said.splitlines()[-lines:])
