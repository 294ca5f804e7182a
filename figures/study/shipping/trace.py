"""From a claim or a printed number to the files behind it: results, hashes of networks, and commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.study.shipping.archive import Shipped, archive_of
from figures.study.verdicts.text import number

ENDS = ("median", "low", "high")
"""the numbers of a view that a page prints with three digits"""


@dataclass(frozen=True)
class Place:
    """Where a number stands: a view of a claim or of a secondary comparison."""

    claim: str
    text: str
    view: Mapping[str, Any]

    @property
    def said(self) -> str:
        """The view's number with its interval, in a line."""
        view = self.view
        at = ", ".join(f"{100 * sparsity:g}" for sparsity in view["sparsities"])
        middle, low, high = (number(float("nan") if view[end] is None else view[end]) for end in ENDS)
        return f"{self.text}: {view['statistic']}, {at} %, {view['stage']}: {middle} [{low} to {high}], n = {view['n']}"


def places(table: Mapping[str, Any], asked: str) -> list[Place]:
    """The views of a study's claims.json whose claim is called so, or one of whose numbers is printed so."""
    entries = [*table["claims"][table["gradual"]], *table["secondary"]]
    return [
        Place(entry["name"], entry["text"], view)
        for entry in entries
        for view in entry["views"]
        if asked in (entry["name"], entry["text"]) or asked in _printed(view)
    ]


def behind(place: Place, shipped: Mapping[str, Shipped]) -> Iterator[Shipped]:
    """The shipped jobs whose results a view is computed from."""
    for each in shipped.values():
        measure = each.job.partition(".")[2]
        if any(measure == name or (name.endswith("-") and measure.startswith(name)) for name in place.view["reads"]):
            yield each


def makers(job: Shipped, shipped: Mapping[str, Shipped]) -> Iterator[tuple[str, str, Shipped | None]]:
    """The networks that a job read: the file, its SHA-256, and the job that made it, where that is shipped."""
    made = {(file, digest): each for each in shipped.values() for file, digest in each.makes.items()}
    for file, digest in job.needs.items():
        yield file, digest, made.get((file, digest))


def told(place: Place, study: str, shipped: Mapping[str, Shipped], folder: Path) -> list[str]:
    """Where a number comes from, in lines for a person, seed by seed."""
    lines = [place.said]
    for job in behind(place, shipped):
        lines += [f"  {archive_of(folder, study, job.job)}", *(f"    python -m {line}" for line in job.commands)]
        for file, digest, maker in makers(job, shipped):
            lines.append(f"    {digest[:16]}  {file}")
            lines += [f"      python -m {line}" for line in (maker.commands if maker else ())]
    return lines


def _printed(view: Mapping[str, Any]) -> set[str]:
    return {number(view[end]) for end in ENDS if view[end] is not None}
