"""The page of a study's sources: every row of numbers with what computed it, and every result with the commands,
networks (SHA-256), versions and processor behind it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from figures.study.shipping.archive import Shipped, archive_of
from figures.study.shipping.trace import behind
from figures.study.verdicts.places import Place, anchor, claim_heading, measure_of, results_heading
from minima.store.table import render_markdown

ROOT = Path(__file__).parents[3]
HEAD = """\
# Where the numbers of {0} come from

Rows of the study's pages, in their order, then the jobs that they are computed from. A job is shipped in one file,
which keeps its results as they were made. `python -m figures.study trace {0} NUMBER` tells the same of one number."""
SEED = re.compile(r"-seed(\d+)\b")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
SHOWN = 16
"""digits of a SHA-256; all 64 stand in the job's file"""


def sources(name: str, places: Sequence[Place], shipped: Mapping[str, Shipped], folder: Path, out: Path) -> str:
    """The page as Markdown.

    Args:
        name: of the study, as it is typed.
        places: rows of its pages.
        shipped: its jobs.
        folder: what is shipped.
        out: the folder of the page, which links are relative to.
    """
    lines = [HEAD.format(name), "", "## Numbers", ""]
    for section, rows in _grouped(places, lambda place: place.section).items():
        lines += [*_section(section, rows, shipped, out), ""]
    lines += ["## Results and networks", ""]
    for measure, jobs in _grouped(shipped.values(), lambda job: measure_of(job.job)).items():
        lines += [*_measure(measure, jobs, shipped, folder, out), ""]
    return "\n".join(lines).rstrip() + "\n"


def templates(job: Shipped) -> tuple[str, ...]:
    """A job's commands with N for its seed, so that those of other seeds read the same.

    >>> line = "pruning gmp runs/s-m-seed3.dense.pt --order-seed 1003 --seed 3"
    >>> templates(Shipped("s", "s-m-seed3.gmp", "prune", (line,), {}, {}, {}, ""))
    ('python -m pruning gmp runs/s-m-seedN.dense.pt --order-seed 1000+N --seed N',)
    """
    found = SEED.search(job.job)
    if found is None:
        return tuple(f"python -m {line}" for line in job.commands)
    seed = int(found[1])
    named = [re.sub(rf"seed{seed}\b", "seedN", line) for line in job.commands]
    return tuple(
        re.sub(r"seed (\d+)\b", lambda flag: _beyond(int(flag[1]), seed), f"python -m {line}") for line in named
    )


def _beyond(value: int, seed: int) -> str:
    return "seed " + ("N" if value == seed else f"{value - seed}+N" if value > seed else str(value))


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _section(section: str, rows: Sequence[Place], shipped: Mapping[str, Shipped], out: Path) -> Iterator[str]:
    """A claim or a table: what it says, what computes it, and for each row its numbers and the results behind it."""
    first = rows[0]
    yield f"### {claim_heading(section)}"
    yield ""
    fixed = f", fixed before the runs in {_file(first.fixed, out)}" if first.fixed else ""
    yield f"{first.text}. Computed by {_file(first.code, out)}{fixed}."
    yield ""
    for row in rows:
        measures = dict.fromkeys(measure_of(job.job) for job in behind(row, shipped))
        links = [f"[{measure}](#{anchor(results_heading(measure))})" for measure in measures]
        yield f"- {row.line}. From {', '.join(links) or 'nothing that is shipped'}"


def _measure(
    measure: str, jobs: Sequence[Shipped], shipped: Mapping[str, Shipped], folder: Path, out: Path
) -> Iterator[str]:
    """The jobs of a measure or arm: commands with N for the seed, then every seed's file and hashes."""
    yield f"### {results_heading(measure)}"
    yield ""
    for commands, same in _grouped(jobs, templates).items():
        yield f"{len(same)} jobs, N being the seed:" if len(same) > 1 else f"{same[0].job}:"
        yield ""
        yield from (f"    {line}" for line in commands)
        yield ""
    for machine, same in _grouped(jobs, _machine).items():
        yield machine if len(same) == len(jobs) else f"{', '.join(job.job for job in same)}: {machine}"
    yield ""
    yield from _read(jobs, shipped)
    rows = [[_archive(job, folder, out), _hashes(job)] for job in jobs]
    yield from render_markdown(("job", "what it made, after the seed, and its SHA-256"), rows).splitlines()


def _read(jobs: Sequence[Shipped], shipped: Mapping[str, Shipped]) -> Iterator[str]:
    """What made the networks that jobs read, and how many were not the files that are told there."""
    made = {file: (each, digest) for each in shipped.values() for file, digest in each.makes.items()}
    read = [(job, file, digest) for job in jobs for file, digest in job.needs.items()]
    by = dict.fromkeys(measure_of(made[file][0].job) for _, file, _ in read if file in made)
    if by:
        yield f"Reads networks of {', '.join(f'[{each}](#{anchor(results_heading(each))})' for each in by)}."
        yield ""
    again = [job for job, file, digest in read if file in made and made[file][1] != digest]
    for job, files in _grouped(again, lambda job: job.job).items():
        yield f"- {job}: {len(files)} of the networks that it read had been made again: their SHA-256 is not there."
    unknown = [job for job, file, _ in read if file not in made]
    for job, files in _grouped(unknown, lambda job: job.job).items():
        yield f"- {job}: the making of {len(files)} of the networks that it read is not shipped."
    if again or unknown:
        yield ""


def _machine(job: Shipped) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(job.versions.items()))
    return f"{versions}; {job.processor or 'processor not told'}."


def _hashes(job: Shipped) -> str:
    return "<br>".join(f"{measure_of(file)} `{digest[:SHOWN]}`" for file, digest in sorted(job.makes.items()))


def _archive(job: Shipped, folder: Path, out: Path) -> str:
    return f"[{job.job}]({_relative(archive_of(folder, job.study, job.job), out)})"


def _file(path: str, out: Path) -> str:
    return f"[{path}]({_relative(ROOT / path, out)})" if (ROOT / path).is_file() else path


def _relative(path: Path, out: Path) -> str:
    return Path(os.path.relpath(path, out)).as_posix()
