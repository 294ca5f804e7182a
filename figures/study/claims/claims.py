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
    beside: tuple[str, ...]
    """further gradual arms, which are judged as well"""
    reached_within: float
    """sparsities further than this from the one asked for do not count as reached"""


@dataclass(frozen=True)
class _View:
    """As it stands in the file."""

    statistic: str
    stage: Literal["unfinished", "finished", "matched", "source"]
    margin: float
    direction: Direction | None = None
    sparsities: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Claim:
    """As it stands in the file; direction and sparsities of the views that have none of their own."""

    name: str
    text: str
    source: str
    direction: Direction
    sparsities: tuple[float, ...]
    views: tuple[_View, ...] = ()


@dataclass(frozen=True)
class _File:
    """All keys."""

    arms: Arms
    claim: tuple[_Claim, ...]


def load_claims(path: Path = CLAIMS) -> tuple[Arms, list[Claim[View]]]:
    """Read the claims.

    Raises:
        BadInput: the file, the key, and what is wrong with it.
    """
    file = build(_File, parse_toml(path), str(path))
    claims = []
    for number, entry in enumerate(file.claim, 1):
        views = tuple(
            View(v.statistic, v.stage, v.direction or entry.direction, v.margin, v.sparsities or entry.sparsities)
            for v in entry.views
        )
        for view in views:
            if not view.margin > 0 or not view.sparsities:
                raise BadInput(f"{path}: claim {entry.name!r}: each view needs a margin above 0 and sparsities")
            check_sparsities(f"{path}: [[claim]] {number}", "sparsities", view.sparsities)
        claims.append(Claim(entry.name, entry.text, entry.source, views))
    return file.arms, claims


def judge(claims: Sequence[Claim[View]], differences: Sequence[Sequence[ArrayLike]]) -> list[Judgement]:
    """Verdicts. `differences[c][v]` are the pairs of view v of claim c: gradual minus one-shot, one a seed."""
    summaries = [
        [paired(d, view.margin) for view, d in zip(claim.views, found, strict=True)]
        for claim, found in zip(claims, differences, strict=True)
    ]
    return verdicts.judge(claims, summaries)
