"""How verdicts are written down: numbers, intervals and p in words, and the errors behind them pooled over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from figures.drawing.style import look
from figures.reading.evidence import Key
from figures.statistics.paired import Paired
from figures.study.verdicts.places import Place, linked
from figures.study.verdicts.verdicts import Judgement
from minima.store.table import render_markdown

ROOT = Path(__file__).parents[3]
CODE = "figures/study/verdicts/text.py"
"""pools errors over seeds"""
STAGES = {
    "unfinished": "as left by the method",
    "finished": "after the common finish",
    "matched": "at equal training loss",
    "source": "as left by the method",
}
DIRECTIONS = {"above": "> 0", "below": "< 0", "zero": "= 0", "any": ""}


@dataclass(frozen=True)
class Printed:
    """A view's numbers as a page prints them, in the order of its columns; a dash for what is not known."""

    view: str
    expected: str
    pairs: str
    median: str
    interval: str
    p: str
    equivalent: str

    @property
    def numbers(self) -> dict[str, str]:
        """What the row says of its view, by its columns."""
        named = {"median": self.median, "95 % interval": self.interval, "p": self.p, "p equivalent": self.equivalent}
        return {name: cell for name, cell in named.items() if cell not in ("", "–")}


def spoken_path(path: Path) -> str:
    """A file of the suite by its place in it, another one as it was named.

    >>> spoken_path(ROOT / "figures" / "x.toml"), spoken_path(Path("mine.toml"))
    ('figures/x.toml', 'mine.toml')
    """
    place = path.resolve()
    return str(place.relative_to(ROOT)) if place.is_relative_to(ROOT) else str(path)


def seeds_of(count: int) -> str:
    """How many seeds, in words.

    >>> seeds_of(1), seeds_of(8)
    ('1 seed', '8 seeds')
    """
    return f"{count} seed{'s' * (count != 1)}"


def number(value: float) -> str:
    """A number with a sign and three digits; a dash for what is not known.

    >>> number(0.01234), number(-12.3456), number(float("nan"))
    ('+0.0123', '-12.3', '–')
    """
    return "–" if not math.isfinite(value) else f"{value:+.3g}"


def interval(summary: Paired) -> str:
    """Both ends of the median's interval."""
    return f"{number(summary.low)} to {number(summary.high)}" if math.isfinite(summary.low) else "–"


def probability(value: float) -> str:
    """A p-value to three digits.

    >>> probability(0.04321), probability(0.0002), probability(float("nan"))
    ('0.043', '< 0.001', '–')
    """
    if not math.isfinite(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def pooled(per_network: Mapping[Key, float], called: str, sources: str = "", section: str = "") -> list[str]:
    """Mean over seeds, which is the error (or accuracy) of all seeds' predictions taken together.

    Args:
        sources: the page of sources that the means link to, at `section` ("": none).
    """
    rows = [[*row[:4], linked(row[4], sources, section), row[5]] for _, row in _pooled(per_network)]
    return render_markdown(["method", "removed", "stage", "seeds", called, "standard error"], rows).splitlines()


def pooled_places(
    per_network: Mapping[Key, float], section: str, reads: Callable[[Key], str], jobs: str
) -> Iterator[Place]:
    """The rows of the table that `pooled` makes, and the jobs that each is computed from.

    Args:
        reads: the job of a network, by what follows the seed in its name.
        jobs: with which the jobs' names begin.
    """
    text = f"{section[0].upper()}{section[1:]}, pooled over seeds (%)"
    for key, (label, removed, stage, seeds, mean, spread) in _pooled(per_network):
        said = f"{label}, {removed} removed, {stage}, n = {seeds}"
        yield Place(section, text, said, {"mean": mean, "standard error": spread}, (reads(key),), CODE, jobs=jobs)


def _pooled(per_network: Mapping[Key, float]) -> Iterator[tuple[Key, list[str]]]:
    """The cells of each arm, sparsity and stage, behind the key of one of its networks."""
    cells: dict[tuple[str, float, str], list[float]] = {}
    keys: dict[tuple[str, float, str], Key] = {}
    for key, value in per_network.items():
        cells.setdefault((key.arm, key.sparsity, key.stage), []).append(value)
        keys[key.arm, key.sparsity, key.stage] = key
    for cell, values in sorted(cells.items()):
        arm, sparsity, stage = cell
        spread = f"{np.std(values, ddof=1) / math.sqrt(len(values)):.2f}" if len(values) > 1 else "–"
        removed = f"{100 * sparsity:g} %" if sparsity else "-"
        shown = [look(arm).label, removed, STAGES[stage], str(len(values)), f"{np.mean(values):.2f}", spread]
        yield keys[cell], shown


def missed(reached: Mapping[str, Mapping[tuple[str, float, int], float]], within: float) -> list[str]:
    """Networks further than `within` from the sparsity asked for; `reached` by where, then by arm, asked and seed."""
    found = [
        f"- {look(arm).label}, seed {seed}: {100 * sparsity:.2f} % of {100 * asked:g} %{where}"
        for where, networks in reached.items()
        for (arm, asked, seed), sparsity in sorted(networks.items())
        if abs(sparsity - asked) > within
    ]
    return ["", "## Sparsities not reached, left out of the pairs", "", *found] if found else []


def entry(judgement: Judgement[Any, Any]) -> dict[str, Any]:
    """A claim's outcome for JSON."""
    views = [
        asdict(judged.view)
        | ({} if judged.summary is None else asdict(judged.summary))
        | {"p_adjusted": judged.adjusted, "verdict": judged.verdict}
        for judged in judgement.views
    ]
    claim = judgement.claim
    return {
        "name": claim.name,
        "text": claim.text,
        "source": claim.source,
        "verdict": judgement.verdict,
        "p_adjusted": judgement.adjusted,
        "views": views,
    }
