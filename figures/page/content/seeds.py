"""Medians over networks that differ in their seed only, as their names say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from figures.page.content.charts import Row, Table
from figures.page.content.results import Result
from minima.store.table import with_error

SEED = re.compile(r"[-.]?seed(\d+)")
Numbers = Mapping[str, float | None]


@dataclass(frozen=True)
class Median:
    """One number of networks that are alike but for the seed."""

    number: str
    network: str
    """their common name"""
    values: tuple[float, ...]

    @property
    def said(self) -> str:
        """Its value in words."""
        return with_error(median(self.values), None)


def medians(
    results: Sequence[Result], label: Callable[[Result], str], numbers: Callable[[Result], Numbers]
) -> list[Median]:
    """One for each number and each name of which there are several seeds; [] where there is one seed of each.

    Args:
        label: the name of a result's network, or of its networks, with the seed in it.
        numbers: those of a result, by their names; what is not known is left out.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for each in results:
        name = label(each)
        seeds, common = "-".join(SEED.findall(name)), SEED.sub("", name)
        for number, value in numbers(each).items():
            if seeds and value is not None:
                found.setdefault((number, common), {})[seeds] = value
    return [Median(*key, tuple(values.values())) for key, values in found.items() if len(values) > 1]


def median_tables(found: Sequence[Median]) -> list[Table]:
    """The table of medians, where there are any."""
    rows = [Row([each.number, each.network, len(each.values), each.said, _range(each.values)]) for each in found]
    heads = ("number", "network", "seeds", "median", "lowest to highest")
    return [Table("Medians over seeds", heads, rows)] if rows else []


def median_words(found: Sequence[Median], number: str) -> str:
    """A sentence on one of the numbers, to stand behind others; empty where there are no seeds."""
    said = [f"{each.network} {each.said} ({len(each.values)} seeds)" for each in found if each.number == number]
    return f" Median over seeds: {', '.join(said)}." if said else ""


def _range(values: Sequence[float]) -> str:
    return f"{with_error(min(values), None)} to {with_error(max(values), None)}"
