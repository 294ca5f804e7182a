"""From the views of claims to verdicts: Holm's adjustment over views and over claims, and the protocol's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np

from figures.statistics.paired import holm

LEVEL = 0.05
NEVER = 10**9
"""pairs that are needed where nothing is to be judged"""

Direction = Literal["above", "below", "zero", "any"]
"""`any`: nothing is expected, and no verdict given"""
Verdict = Literal["confirmed", "contradicted", "equivalent", "undecided", "no verdict", "not yet measured"]


class Expecting(Protocol):
    """A view: what a statement expects, and how little counts as nothing."""

    @property
    def direction(self) -> Direction:
        """Where the effect should be: above zero, below it or at it; or `any`, where nothing is expected."""

    @property
    def margin(self) -> float:
        """The size, in the effect's unit, up to which an effect counts as none."""


class Summary(Protocol):
    """What was found, such as `figures.statistics.paired.Paired`; NaN for what it does not say."""

    @property
    def n(self) -> int:
        """The number of seeds that count."""

    @property
    def effect(self) -> float:
        """The effect over the seeds, above or below zero."""

    @property
    def low(self) -> float:
        """The lower end of the effect's interval."""

    @property
    def high(self) -> float:
        """The upper end of the effect's interval."""

    @property
    def p(self) -> float:
        """The p-value of there being no effect."""

    @property
    def p_equivalent(self) -> float:
        """The p-value of an effect as large as the margin, by two one-sided tests."""


V = TypeVar("V", bound=Expecting)
S = TypeVar("S", bound="Summary | None")


@dataclass(frozen=True)
class Claim(Generic[V]):
    """One claim with its views; without any it is not yet measured."""

    name: str
    text: str
    source: str
    views: tuple[V, ...]


@dataclass(frozen=True)
class Judged(Generic[V, S]):
    """A view's outcome: its summary (None: nothing was measured), its p over the claim's views, and its verdict."""

    view: V
    summary: S
    adjusted: float
    verdict: Verdict


@dataclass(frozen=True)
class Judgement(Generic[V, S]):
    """A claim's outcome; `adjusted` is the largest p of its views, adjusted over the claims."""

    claim: Claim[V]
    views: tuple[Judged[V, S], ...]
    adjusted: float
    verdict: Verdict


def fewest(members: int) -> int:
    """The fewest pairs that can decide a family: n with members * 2^(1-n), its smallest two-sided exact p, below 0.05.

    >>> fewest(1), fewest(6), fewest(7)
    (6, 8, 9)
    """
    return next(n for n in range(2, 100) if members * 2.0 ** (1 - n) < LEVEL)


def judge(
    claims: Sequence[Claim[V]], summaries: Sequence[Sequence[S]], *, complete: bool = True
) -> list[Judgement[V, S]]:
    """Verdicts. `summaries[c][v]` is of view v of claim c.

    Args:
        complete: whether all that was planned is measured; else no verdict is given, equivalence included.
    """
    families = [
        [decisive(view, summary) for view, summary in zip(claim.views, found, strict=True)]
        for claim, found in zip(claims, summaries, strict=True)
    ]
    overall = holm([max(family, default=np.nan) for family in families])
    judgements = []
    for claim, found, family, p in zip(claims, summaries, families, overall, strict=True):
        of_views = fewest(len(claim.views)) if complete else NEVER
        of_claims = fewest(max(len(claim.views), len(claims))) if complete else NEVER
        views = tuple(
            Judged(view, summary, float(adjusted), view_verdict(view, summary, float(adjusted), of_views))
            for view, summary, adjusted in zip(claim.views, found, holm(family), strict=True)
        )
        verdict = claim_verdict(tuple(view_verdict(v.view, v.summary, float(p), of_claims) for v in views))
        judgements.append(Judgement(claim, views, float(p), verdict))
    return judgements


def decisive(view: Expecting, summary: Summary | None) -> float:
    """The p that decides a view: of a difference, or of no difference where the claim is that there is none."""
    if summary is None:
        return 1.0
    p = summary.p_equivalent if view.direction == "zero" else summary.p
    return p if np.isfinite(p) else 1.0  # measured by too few seeds: it stays in the family, and says nothing


def view_verdict(view: Expecting, summary: Summary | None, adjusted: float, needed: int = 1) -> Verdict:
    """The protocol's words for one view; fewer pairs than are `needed` give none.

    >>> from figures.study.claims.claims import View
    >>> from figures.statistics.paired import paired
    >>> view = View("lambda_max", "finished", "above", 0.2231, (0.9,))
    >>> view_verdict(view, paired([0.5, 0.9, 0.4, 0.7, 0.6, 0.8], 0.2231), 0.03)
    'confirmed'
    """
    if summary is None:
        return "not yet measured"
    if summary.n < needed:
        return "no verdict"
    if view.direction == "zero":
        if adjusted < LEVEL:
            return "confirmed"
        return "contradicted" if summary.low > view.margin or summary.high < -view.margin else "undecided"
    if adjusted < LEVEL and summary.effect != 0:
        return "confirmed" if (summary.effect > 0) == (view.direction == "above") else "contradicted"
    return "equivalent" if summary.p_equivalent < LEVEL else "undecided"


def claim_verdict(views: Sequence[Verdict]) -> Verdict:
    """The verdict that all views share; undecided where they differ.

    >>> claim_verdict(["confirmed", "equivalent"]), claim_verdict([])
    ('undecided', 'not yet measured')
    """
    words = set(views)
    if not words:
        return "not yet measured"
    if "no verdict" in words:
        return "no verdict"
    return words.pop() if len(words) == 1 else "undecided"
