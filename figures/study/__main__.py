"""`python -m figures.study NAME|FILE.toml`: a whole study, from nothing to its figures, tables and verdicts."""

from __future__ import annotations

from figures.study.flags import StudyFlags
from minima.store.command import Report, run


def main(arguments: StudyFlags) -> Report:
    """Run the study, which tells what it does."""
    from figures.study.run import run_study

    return run_study(arguments)


if __name__ == "__main__":
    run(StudyFlags, main, prog="python -m figures.study")
