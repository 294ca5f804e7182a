"""`python -m figures.workflow --config digits`: a whole study, from nothing to the figures (`make figures`)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from figures.lock import acquire
from figures.progress import Progress
from store.command import BadInput, Command, Report, note, run

HERE = Path(__file__).parent
LOGS = Path("out/logs")
SECONDS_TO_END = 3.0
LOCK = Path(".snakemake/figures.lock")

# A job is redone when its inputs, or the flags it is called with, have changed. Not when the text of its rule has
# ("code"): reformatting a rule must not throw days of work away, and what matters of it is in the flags.
RERUN_TRIGGERS = ("mtime", "input", "params")


@dataclass(frozen=True, kw_only=True)
class Workflow(Command):
    """Train, prune, measure and draw. Stopped in any way, it goes on when the same line is typed again."""

    config: str = "digits"
    """the study: digits, mnist, or a YAML file of one's own"""
    cores: int = os.cpu_count() or 1
    """jobs at a time, of one thread each"""
    dry: bool = False
    """say what would be done"""


def main(arguments: Workflow) -> Report | None:
    """Hold the lock, run Snakemake, tell what it does."""
    config = resolve_config(arguments.config)
    return run_snakemake(HERE / "Snakefile", config, arguments.cores, ("--dry-run",) if arguments.dry else ())


def resolve_config(name: str) -> Path:
    """The YAML file of a study."""
    known = {path.stem: path for path in sorted((HERE / "config").glob("*.yaml"))}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise BadInput(f"--config {name}: there is no such study. Known: {', '.join(known)}, or a path to a YAML file")
    return path


def run_snakemake(snakefile: Path, config: Path | None, cores: int, extra: Sequence[str] = ()) -> Report | None:
    """Run the workflow in the current directory, alone there; BadInput where jobs have failed."""
    lock = acquire(LOCK, note)
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--nocolor"]
    base += ["--configfile", str(config)] if config else []
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{config.stem if config else snakefile.stem}.snakemake.log"
    if any(Path(".snakemake/locks").glob("*")):  # of a run that was killed: ours says that nobody is at work
        subprocess.run([*base, "--unlock"], stdin=lock, check=True, capture_output=True)
    command = [*base, "--cores", str(cores), "--rerun-triggers", *RERUN_TRIGGERS]
    # Outputs appear whole or not at all (os.replace), so a failed or killed job's are kept; the job runs again and
    # takes over what is already there.
    command += ["--rerun-incomplete", "--keep-incomplete", "--keep-going", "--scheduler", "greedy", *extra]
    progress = Progress()
    with log.open("wb") as written:
        child = subprocess.Popen(command, stdin=lock, stdout=written, stderr=subprocess.STDOUT)
    status = _attend(child, log, progress)
    if status:
        what = f"{len(progress.failed)} jobs failed" if progress.failed else "Snakemake failed"
        last = "" if progress.failed else "\n" + _tail(log)
        raise BadInput(f"{what}; everything it said is in {log}. `make figures` goes on from here{last}")
    closing = "nothing was run" if "--dry-run" in extra else _closing(progress)
    return Report({"jobs": progress.done.total(), "log": str(log)}, closing)


def _attend(child: subprocess.Popen[bytes], log: Path, progress: Progress) -> int:
    """Follow the log until the child ends. Whatever ends this first (Ctrl-C, SIGTERM) ends the child and its jobs."""
    try:
        with log.open(errors="replace") as written:
            for line in _follow(written, child):
                progress.feed(line)
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


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _closing(progress: Progress) -> str:
    done = progress.done.total()
    return f"{done} jobs done: the figures are complete" if done else "nothing to do: the figures are complete"


if __name__ == "__main__":
    run(Workflow, main, prog="python -m figures.workflow", description=__doc__ or "")
