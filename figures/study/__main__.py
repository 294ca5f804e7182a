"""`python -m figures.study NAME|FILE.toml`: a whole study, from nothing to its figures, tables and verdicts."""

from __future__ import annotations

import sys

from figures.study.flags import StudyFlags
from figures.study.shipping.flags import Convert, Redraw, Reproduce, Ship, Trace
from minima.store.command import Report, run

PROG = "python -m figures.study"


def main(arguments: StudyFlags) -> Report:
    """Run the study, which tells what it does."""
    from figures.study.run import run_study

    return run_study(arguments)


def ship(arguments: Ship) -> Report:
    """Ship what is finished."""
    from figures.study.shipped import ship_studies

    return ship_studies(arguments)


def redraw(arguments: Redraw) -> Report:
    """Draw what is shipped."""
    from figures.study.shipped import redraw_studies

    return redraw_studies(arguments)


def trace(arguments: Trace) -> Report:
    """Follow a number to its sources."""
    from figures.study.shipped import trace_number

    return trace_number(arguments)


def convert(arguments: Convert) -> Report:
    """Give older files today's form."""
    from figures.study.shipped import convert_shipped

    return convert_shipped(arguments)


def reproduce(arguments: Reproduce) -> Report:
    """Make a seed again and compare."""
    from figures.study.shipped import reproduce_seed

    return reproduce_seed(arguments)


VERBS = {
    "ship": (Ship, ship),
    "redraw": (Redraw, redraw),
    "trace": (Trace, trace),
    "convert": (Convert, convert),
    "reproduce": (Reproduce, reproduce),
}
"""what the first word may be beside a study's name"""

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in VERBS:
        flags, work = VERBS[sys.argv[1]]
        run(flags, work, prog=f"{PROG} {sys.argv[1]}", argv=sys.argv[2:])  # type: ignore[arg-type]
    run(StudyFlags, main, prog=PROG)
