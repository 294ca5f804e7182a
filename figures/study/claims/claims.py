"""The claims fixed in `claims.toml`, judged by the paired differences of their views."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from figures.statistics.paired import Paired, paired
from figures.study.verdicts import verdicts
from figures.study.verdicts.verdicts import Claim, Direction

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
    reached_within: float


def load_claims(path: Path = CLAIMS) -> tuple[Arms, list[Claim[View]]]:
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


def judge(claims: Sequence[Claim[View]], differences: Sequence[Sequence[ArrayLike]]) -> list[Judgement]:
    """Verdicts. `differences[c][v]` are the pairs of view v of claim c: gradual minus one-shot, one a seed."""
    summaries = [
        [paired(d, view.margin) for view, d in zip(claim.views, found, strict=True)]
        for claim, found in zip(claims, differences, strict=True)
    ]
    return verdicts.judge(claims, summaries)
