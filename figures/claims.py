"""The claims fixed in `claims.toml`, and the verdict on them from the paired differences of their views."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from figures.statistics import Paired, holm, paired

CLAIMS = Path(__file__).with_name("claims.toml")
LEVEL = 0.05

Direction = Literal["above", "below", "zero"]
Verdict = Literal["confirmed", "contradicted", "equivalent", "undecided", "not yet measured"]


@dataclass(frozen=True)
class View:
    """One statistic at one stage: what decides a claim."""

    statistic: str
    stage: str
    direction: Direction
    margin: float
    sparsities: tuple[float, ...]


@dataclass(frozen=True)
class Claim:
    """One claim with its views; without any it is not yet measured."""

    name: str
    text: str
    source: str
    views: tuple[View, ...]


@dataclass(frozen=True)
class Arms:
    """Which arms the claims compare."""

    one_shot: str
    gradual: str
    beside: tuple[str, ...]
    reached_within: float


@dataclass(frozen=True)
class Judged:
    """A view's outcome: its paired summary, its p adjusted over the claim's views, and its verdict."""

    view: View
    summary: Paired
    adjusted: float
    verdict: Verdict


@dataclass(frozen=True)
class Judgement:
    """A claim's outcome; `p` is the largest of its views, adjusted over the claims."""

    claim: Claim
    views: tuple[Judged, ...]
    adjusted: float
    verdict: Verdict


def load_claims(path: Path = CLAIMS) -> tuple[Arms, list[Claim]]:
    """Read the claims."""
    entries = tomllib.loads(path.read_text())
    arms = entries["arms"]
    claims = []
    for entry in entries["claim"]:
        views = tuple(
            View(
                **{"direction": entry["direction"]}
                | v
                | {"sparsities": tuple(v.get("sparsities", entry["sparsities"]))}
            )
            for v in entry.get("views", ())
        )
        claims.append(Claim(entry["name"], entry["text"], entry["source"], views))
    return Arms(arms["one_shot"], arms["gradual"], tuple(arms["beside"]), arms["reached_within"]), claims


def judge(claims: Sequence[Claim], differences: Sequence[Sequence[ArrayLike]]) -> list[Judgement]:
    """Verdicts. `differences[c][v]` are the pairs of view v of claim c: gradual minus one-shot, one a seed."""
    summaries = [
        [paired(d, view.margin) for view, d in zip(claim.views, views, strict=True)]
        for claim, views in zip(claims, differences, strict=True)
    ]
    largest = [
        max((decisive(v, s) for v, s in zip(claim.views, views, strict=True)), default=np.nan)
        for claim, views in zip(claims, summaries, strict=True)
    ]
    overall = holm(largest)
    judgements = []
    for claim, views, p in zip(claims, summaries, overall, strict=True):
        adjusted = holm([decisive(v, s) for v, s in zip(claim.views, views, strict=True)])
        within = tuple(
            Judged(v, s, float(a), view_verdict(v, s, float(a)))
            for v, s, a in zip(claim.views, views, adjusted, strict=True)
        )
        verdict = claim_verdict(tuple(view_verdict(v.view, v.summary, float(p)) for v in within))
        judgements.append(Judgement(claim, within, float(p), verdict))
    return judgements


def decisive(view: View, summary: Paired) -> float:
    """The p that decides a view: of a difference, or of no difference where the claim is that there is none."""
    p = summary.p_equivalent if view.direction == "zero" else summary.p
    return p if np.isfinite(p) else 1.0  # measured by too few pairs: it stays in the family, and says nothing


def view_verdict(view: View, summary: Paired, adjusted: float) -> Verdict:
    """The protocol's words for one view.

    >>> view = View("lambda_max", "finished", "above", 0.2231, (0.9,))
    >>> view_verdict(view, paired([0.5, 0.9, 0.4, 0.7, 0.6, 0.8], 0.2231), 0.03)
    'confirmed'
    """
    if not summary.n:
        return "undecided"
    if view.direction == "zero":
        if adjusted < LEVEL:
            return "confirmed"
        return "contradicted" if summary.low > view.margin or summary.high < -view.margin else "undecided"
    if adjusted < LEVEL and summary.median != 0:
        return "confirmed" if (summary.median > 0) == (view.direction == "above") else "contradicted"
    return "equivalent" if summary.p_equivalent < LEVEL else "undecided"


def claim_verdict(views: Sequence[Verdict]) -> Verdict:
    """The verdict that all views share; undecided where they differ.

    >>> claim_verdict(["confirmed", "equivalent"]), claim_verdict([])
    ('undecided', 'not yet measured')
    """
    words = set(views)
    if not words:
        return "not yet measured"
    return words.pop() if len(words) == 1 else "undecided"
