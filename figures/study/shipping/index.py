"""The page that leads to the redrawn studies, and tells how far each is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures.study.engine.jobs import Plan
from figures.study.shipping.store import progress, shipped_jobs

HEAD = """\
# What the studies found

Written by `make findings` out of the results in `figures/study/results/`, one file a job, which say by which command,
with which versions and from which networks (SHA-256) they were made. `python -m figures.study trace STUDY NUMBER` leads
from a number on a page to its results, networks and commands; so do the links of medians and errors, to the page
`sources.md` of each study. A partial study gives no verdict.

## Questions

What speaks against the papers comes first.
"""
PICTURES = ("forest.svg", "forest-specifications.svg")


def index(plans: Mapping[str, Plan], folder: Path, pages: Path, questions: Sequence[str]) -> str:
    """The questions, a line each, all effects side by side, and the studies."""
    there = [pages / name for name in PICTURES if (pages / name).is_file()]
    lines = [HEAD, *questions, "", *(f"![{path.stem}]({path.name})\n" for path in there)]
    for name, plan in plans.items():
        here = pages / name
        lines.append(f"## {name}\n\n{progress(plan, shipped_jobs(plan, folder)).said}\n")
        lines += [f"- [{path.name}]({name}/{path.name})" for path in sorted(here.glob("*.md"))]
        lines += [f"- ![{path.stem}]({name}/{path.name})" for path in sorted(here.glob("*.svg"), key=_by_number)]
        lines.append("")
    return "\n".join(lines)


def _by_number(path: Path) -> tuple[int, str]:
    """The pictures of the gallery in their order, others behind them."""
    number = path.stem.partition("-")[0]
    return int(number) if number.isdigit() else sys.maxsize, path.stem
