"""From a claim or a printed number to the files behind it: results, hashes of networks, and commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from figures.study.shipping.archive import Shipped, archive_of
from figures.study.verdicts.places import Place, from_json
from minima.store.files import readable

TABLES = ("claims.json", "findings.json", "*.comparison.json")
"""files of a study's folder that tell what its numbers are computed from"""


def places_on(folder: Path) -> list[Place]:
    """Every row of numbers on a study's redrawn pages."""
    found = []
    for path in (path for pattern in TABLES for path in sorted(folder.glob(pattern))):
        with readable(path):
            found += from_json(json.loads(path.read_text()))
    return found


def chosen(places: Sequence[Place], asked: str) -> list[Place]:
    """The rows of a claim or table that is called so, or in which a number is printed so."""
    return [place for place in places if asked in (place.section, place.text) or place.prints(asked)]


def behind(place: Place, shipped: Mapping[str, Shipped]) -> Iterator[Shipped]:
    """The shipped jobs whose results a row is computed from."""
    return (each for each in shipped.values() if place.rests_on(each.job))


def makers(job: Shipped, shipped: Mapping[str, Shipped]) -> Iterator[tuple[str, str, Shipped | None]]:
    """The networks that a job read: the file, its SHA-256, and the job that made it, where that is shipped."""
    made = {(file, digest): each for each in shipped.values() for file, digest in each.makes.items()}
    for file, digest in job.needs.items():
        yield file, digest, made.get((file, digest))


def told(place: Place, study: str, shipped: Mapping[str, Shipped], folder: Path) -> list[str]:
    """Where the numbers of a row come from, in lines for a person, seed by seed."""
    lines = [place.line, f"  computed by {place.code}" + (f", fixed before in {place.fixed}" if place.fixed else "")]
    for job in behind(place, shipped):
        lines += [f"  {archive_of(folder, study, job.job)}", *(f"    python -m {line}" for line in job.commands)]
        for file, digest, maker in makers(job, shipped):
            lines.append(f"    {digest[:16]}  {file}")
            lines += [f"      python -m {line}" for line in (maker.commands if maker else ())]
    return lines
