"""`python -m figures.study.workflow --config digits`: a whole study, from nothing to the figures (`make figures`)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from figures.study.engine.engine import run_snakemake
from minima.store.command import BadInput, Command, Report, run

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Workflow(Command):
    """Train, prune, measure and draw. Stopped in any way, it goes on when the same line is typed again."""

    config: str = "digits"
    """the study: digits, mnist, findings, or a YAML file of one's own"""
    cores: int = os.cpu_count() or 1
    """jobs at a time, of one thread each"""
    dry: bool = False
    """say what would be done"""


def main(arguments: Workflow) -> Report:
    """Run Snakemake, which tells what it does."""
    config = resolve_config(arguments.config)
    settings, extra = ("--configfile", str(config)), ("--dry-run",) if arguments.dry else ()
    own = HERE / "engine" / f"{config.stem}.smk"  # of a study that is no comparison of one-shot with gradual pruning
    snakefile = own if own.is_file() else HERE / "engine" / "Snakefile"
    outcome = run_snakemake(snakefile, config.stem, arguments.cores, settings, extra)
    if outcome.explained:
        said = f"\n{outcome.error}" if outcome.error else ""
        raise BadInput(f"{outcome.explained}. `make figures` goes on from here{said}")
    done = f"{outcome.done} jobs done" if outcome.done else "nothing to do"
    closing = "nothing was run" if arguments.dry else f"{done}: the figures are complete"
    return Report({"jobs": outcome.done, "log": str(outcome.log)}, closing)


def resolve_config(name: str) -> Path:
    """The YAML file of a study."""
    known = {path.stem: path for path in sorted((HERE / "config").glob("*.yaml"))}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise BadInput(f"--config {name}: there is no such study. Known: {', '.join(known)}, or a path to a YAML file")
    return path


if __name__ == "__main__":
    run(Workflow, main, prog="python -m figures.study.workflow", description=__doc__ or "")
