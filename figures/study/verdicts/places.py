"""Where numbers stand on a study's pages and what each is computed from: told in the JSON file beside the page,
followed by `figures.study trace`, and linked from the page to the page of sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

SOURCES = "sources.md"
"""the page of a study's sources, beside the pages that link to it"""
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class Place:
    """A row of numbers on a page."""

    section: str
    """a claim's name, or what a table shows"""
    text: str
    """the section in a sentence"""
    said: str
    """what the row's numbers are of, in words"""
    numbers: Mapping[str, str]
    """by what each is, as they are printed"""
    reads: tuple[str, ...]
    """the jobs that it is computed from, by what follows the seed in their names; one that ends in - stands for all
    that begin so"""
    code: str
    """the file that computes it"""
    fixed: str = ""
    """the file that said what would be computed, before the runs"""
    jobs: str = ""
    """with which their names begin: a study or comparison, and perhaps a network"""

    @property
    def line(self) -> str:
        """The row in a line."""
        told = (f"{name} {cell}".strip() for name, cell in self.numbers.items())
        return f"{self.said}: {'; '.join(told) or '–'}"

    def prints(self, number: str) -> bool:
        """Whether a number stands in the row as it is typed; one without a sign matches either.

        >>> cells = {"median": "-0.938 points", "95 % interval": "-1.53 to -0.417", "p": "< 0.001"}
        >>> [Place("", "", "", cells, (), "").prints(number) for number in ("-0.938", "0.938", "+0.938", "95")]
        [True, True, False, False]
        """
        found = (printed for cell in self.numbers.values() for printed in NUMBER.findall(cell))
        return any(number in (printed, printed.lstrip("+-")) for printed in found)

    def rests_on(self, job: str) -> bool:
        """Whether a job of this name is one that the numbers are computed from.

        >>> place = Place("basin", "", "", {}, ("path-", "psp-test"), "")
        >>> [place.rests_on(f"digits-lenet300-seed0.{end}") for end in ("path-between-0.9", "psp-test", "psp-train")]
        [True, True, False]
        """
        measure = measure_of(job)
        return job.startswith(self.jobs) and any(
            measure == name or (name.endswith("-") and measure.startswith(name)) for name in self.reads
        )


def measure_of(job: str) -> str:
    """What follows the seed in a job's name.

    >>> measure_of("mnist-lenet300-seed3.gmp-0.9"), measure_of("findings-resnet20.collapse")
    ('gmp-0.9', 'collapse')
    """
    return job.partition(".")[2]


def as_json(places: Iterable[Place]) -> list[dict[str, Any]]:
    """For the key `places` of a page's JSON file."""
    return [asdict(place) for place in places]


def from_json(table: Mapping[str, Any]) -> list[Place]:
    """The places that a page's JSON file tells."""
    return [Place(**each | {"reads": tuple(each["reads"])}) for each in table.get("places", ())]


def anchor(heading: str) -> str:
    """How a link names a heading, on pages that GitHub or Sphinx show.

    >>> anchor("Claim: one-basin"), anchor("Results: path-between-0.97"), anchor("RigL, 95 % − static")
    ('claim-one-basin', 'results-path-between-097', 'rigl-95---static')
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def claim_heading(section: str) -> str:
    """The heading of a claim's or table's sources."""
    return f"Numbers: {section}"


def results_heading(measure: str) -> str:
    """The heading of the jobs of one measure or arm."""
    return f"Results: {measure}"


def linked(words: str, sources: str, section: str) -> str:
    """Words with a link to where their numbers come from; as they are where there is no page of sources.

    >>> linked("+0.389", "sources.md", "sharper"), linked("+0.389", "", "sharper"), linked("–", "sources.md", "sharper")
    ('[+0.389](sources.md#numbers-sharper)', '+0.389', '–')
    """
    return f"[{words}]({sources}#{anchor(claim_heading(section))})" if sources and words not in ("", "–") else words
