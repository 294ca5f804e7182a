"""What a section of the page is: the results of one command, what they say, where it is from, what it does not say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from figures.page.content.charts import View
from figures.page.content.networks import Networks
from figures.page.content.results import Result
from figures.reading.conditions import Conditions, conditions


@dataclass(frozen=True)
class Section(ABC):
    """One file of `figures/page/sections`: found without a list."""

    name: ClassVar[str]
    """in the address of the page, `#name`"""
    place: ClassVar[int]
    """sections stand in the order of these numbers"""
    title: ClassVar[str]
    measure: ClassVar[str]
    """the command whose results it shows"""
    command: ClassVar[str]
    """what makes such results; {checkpoint}, {other}, {pruned}, {parent}, {surface} and {trajectory} stand for files"""
    arrays: ClassVar[tuple[str, ...]] = ()
    """arrays of the results that it reads; `*` stands for any part"""
    question: ClassVar[str]
    """what a reader learns here, in a sentence"""
    caveat: ClassVar[str]
    """what the numbers do not say"""
    cite: ClassVar[tuple[str, ...]]
    """papers that define the quantities"""

    @abstractmethod
    def view(self, results: Sequence[Result], networks: Networks) -> View:
        """Charts, tables and a sentence of these results, of which there is at least one.

        Args:
            results: all of this section's measure, in the order of the page's networks.
            networks: their names and places.
        """


def finished(results: Sequence[Result]) -> list[Result]:
    """The results of finished networks, without the moments of trainings."""
    return [result for result in results if result.moment is None]


def comparable(results: Sequence[Result]) -> dict[Conditions, list[Result]]:
    """Results of the same weights, loss, matrix and space: only these have an order."""
    found: dict[Conditions, list[Result]] = {}
    for result in results:
        found.setdefault(conditions(result.summary, result.origin["arguments"]), []).append(result)
    return found


def of_weights(title: str, results: Sequence[Result]) -> str:
    """A chart's title, with the weights that these results are of, where that is not all of them."""
    over = conditions(results[0].summary, results[0].origin["arguments"]).over
    return f"{title}, {over}" if over else title


def trainings(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The moments of each training in their order, by its name."""
    found: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.moment or 0):
        if result.moment is not None:
            found.setdefault(result.stem, []).append(result)
    return found


def listed(words: Sequence[str], most: int = 4, separator: str = ", ") -> str:
    """Words in a sentence, not too many.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    shown, rest = list(words[:most]), len(words) - most
    return separator.join(shown) + (f" and {rest} more" if rest > 0 else "")
