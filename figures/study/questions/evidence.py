"""What studies found on a question, read from the tables that they write: claims.json and findings.json."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.drawing.style import spoken_model
from figures.study.questions.questions import Question
from figures.study.verdicts.text import Printed, seeds_of
from figures.study.verdicts.verdicts import Direction, Verdict
from minima.store.files import readable


@dataclass(frozen=True)
class Seen:
    """One view of a claim in one study."""

    printed: Printed
    verdict: Verdict
    direction: Direction
    low: float
    high: float

    @property
    def side(self) -> Direction | None:
        """Where the whole interval lies; None if it holds zero, or there is none."""
        return "above" if self.low > 0 else "below" if self.high < 0 else None


@dataclass(frozen=True)
class Found:
    """A claim in one study, or a secondary comparison that bears on it."""

    study: str
    """the folder of its pages"""
    name: str
    """of the claim"""
    networks: str
    """model and seeds, in words"""
    text: str
    source: str
    verdict: Verdict
    whole: bool
    """whether all seeds that were planned are measured"""
    views: tuple[Seen, ...]


def found_on(question: Question, tables: Sequence[Path]) -> list[Found]:
    """The claims of a question in the order of the tables."""
    return [each for path in tables for name, each in _claims(path) if name in question.claims]


def beside(question: Question, tables: Sequence[Path]) -> list[Found]:
    """Secondary comparisons whose statistics the question's claims rest on: intervals, and no verdicts."""
    told = []
    for path in tables:
        table = _read(path)
        if "secondary" in table:
            entries = table["claims"][table["gradual"]]
            asked = {v["statistic"] for entry in entries if entry["name"] in question.claims for v in entry["views"]}
            for entry in table["secondary"]:
                views = [view for view in entry["views"] if view["statistic"] in asked and view["n"]]
                if views:
                    told.append(_found(path, table, entry | {"views": views}))
    return told


def _claims(path: Path) -> Iterator[tuple[str, Found]]:
    table = _read(path)
    if "settings" in table:
        for setting in table["settings"]:
            yield from ((entry["name"], _found(path, setting, entry)) for entry in setting["claims"])
    else:
        yield from ((entry["name"], _found(path, table, entry)) for entry in table["claims"][table["gradual"]])


def _read(path: Path) -> dict[str, Any]:
    with readable(path):
        table: dict[str, Any] = json.loads(path.read_text())
        return table


def _found(path: Path, table: Mapping[str, Any], entry: Mapping[str, Any]) -> Found:
    seeds = len(table["seeds"])
    planned = table.get("seeds_planned", seeds)
    apart = any(view.get("table", "comparison") != "comparison" for view in entry["views"])
    return Found(
        study=path.parent.name,
        name=entry["name"],
        networks="networks of its own" if apart else f"{spoken_model(table['model'])}, {_counted(seeds, planned)}",
        text=entry["text"],
        source=entry["source"],
        verdict=entry["verdict"],
        whole=seeds >= planned,
        views=tuple(_seen(view) for view in entry["views"]),
    )


def _counted(seeds: int, planned: int) -> str:
    return seeds_of(seeds) if seeds >= planned else f"{seeds} of {seeds_of(planned)}"


def _seen(view: Mapping[str, Any]) -> Seen:
    low, high = (math.nan if view.get(end) is None else float(view[end]) for end in ("low", "high"))
    return Seen(Printed(**view["printed"]), view["verdict"], view["direction"], low, high)
