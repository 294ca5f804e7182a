"""The claims fixed in `claims.toml`, judged by the paired differences of their views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike

from figures.statistics.paired import Paired, paired
from figures.study.configuration.build import build
from figures.study.configuration.toml_file import parse_toml
from figures.study.networks.checks import check_sparsities
from figures.study.verdicts import verdicts
from figures.study.verdicts.verdicts import Claim, Direction
from minima.store.command import BadInput

Expected = Literal["above", "below", "zero"]
CLAIMS = Path(__file__).with_name("claims.toml")


@dataclass(frozen=True)
class View:
    """One statistic at one stage: what decides a claim."""

    statistic: str
    stage: str
    direction: Direction
    margin: float
    sparsities: tuple[float, ...]


Judged = verdicts.Judged[View, Paired]
Judgement = verdicts.Judgement[View, Paired]


@dataclass(frozen=True)
class Arms:
    """Which arms the claims compare."""

    one_shot: str
    gradual: str
    reached_within: float
    """sparsities further than this from the one asked for do not count as reached"""
    beside: tuple[str, ...] = ()
    """further gradual arms, which are judged as well"""


@dataclass(frozen=True)
class Secondary:
    """A comparison that is told beside the claims: medians and intervals, and no verdict."""

    text: str
    first: str
    """arm"""
    second: str
    """arm; differences are this one minus the first"""
    views: tuple[View, ...]


@dataclass(frozen=True)
class Fixed:
    """What a file of claims says, fixed before the runs."""

    arms: Arms
    claims: tuple[Claim[View], ...]
    secondary: tuple[Secondary, ...]
    seeds: int
    """with fewer than these there are no verdicts"""


@dataclass(frozen=True)
class _View:
    """As it stands in the file."""

    statistic: str
    stage: Literal["unfinished", "finished", "matched", "source"]
    margin: float
    direction: Expected | None = None
    sparsities: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Claim:
    """As it stands in the file; direction and sparsities of the views that have none of their own."""

    name: str
    text: str
    source: str
    direction: Expected
    sparsities: tuple[float, ...]
    views: tuple[_View, ...] = ()


@dataclass(frozen=True)
class _Secondary:
    """As it stands in the file."""

    text: str
    arms: tuple[str, ...]
    sparsities: tuple[float, ...]
    views: tuple[_View, ...]


@dataclass(frozen=True)
class _File:
    """All keys."""

    arms: Arms
    claim: tuple[_Claim, ...] = ()
    secondary: tuple[_Secondary, ...] = ()
    seeds: int = 0


def load_claims(path: Path = CLAIMS) -> Fixed:
    """Read a file of claims.

    Raises:
        BadInput: the file, the key, and what is wrong with it; or a family has so many views or claims that the seeds
            cannot decide it, whatever they say.
    """
    file = build(_File, parse_toml(path), str(path))
    claims, secondary = [], []
    for number, entry in enumerate(file.claim, 1):
        views = _views(f"{path}: [[claim]] {number}", entry.views, entry.sparsities, entry.direction)
        claims.append(Claim(entry.name, entry.text, entry.source, views))
    for number, other in enumerate(file.secondary, 1):
        at = f"{path}: [[secondary]] {number}"
        if len(other.arms) != 2:
            raise BadInput(f"{at}: arms: expected two, found {len(other.arms)}")
        secondary.append(Secondary(other.text, *other.arms, _views(at, other.views, other.sparsities, "any")))
    largest = max([len(claims), *(len(claim.views) for claim in claims)])
    if file.seeds and file.seeds < verdicts.fewest(largest):
        raise BadInput(
            f"{path}: seeds = {file.seeds}: a family of {largest} views or claims cannot be decided by so few: "
            f"expected {verdicts.fewest(largest)} or more, or smaller families"
        )
    return Fixed(file.arms, tuple(claims), tuple(secondary), file.seeds)


def _views(where: str, views: Sequence[_View], sparsities: tuple[float, ...], direction: Direction) -> tuple[View, ...]:
    found = []
    for view in views:
        own = view.sparsities or sparsities
        if not view.margin > 0 or not own:
            raise BadInput(f"{where}: each view needs a margin above 0 and sparsities")
        check_sparsities(where, "sparsities", own)
        found.append(View(view.statistic, view.stage, view.direction or direction, view.margin, own))
    return tuple(found)


def judge(
    claims: Sequence[Claim[View]], differences: Sequence[Sequence[ArrayLike]], *, complete: bool = True
) -> list[Judgement]:
    """Verdicts. `differences[c][v]` are the pairs of view v of claim c: gradual minus one-shot, one a seed.

    Args:
        complete: whether all seeds that were planned are measured: else there are no verdicts.
    """
    summaries = [
        [paired(d, view.margin) for view, d in zip(claim.views, found, strict=True)]
        for claim, found in zip(claims, differences, strict=True)
    ]
    return verdicts.judge(claims, summaries, complete=complete)
