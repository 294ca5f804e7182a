"""The claims table as JSON: every number of it, and what each is computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from figures.drawing.style import look
from figures.study.claims.claims import CLAIMS, Fixed, Judged, Judgement
from figures.study.claims.text import ERROR, PROBE, could_find, printed, spoken
from figures.study.claims.views import ERRORS, STATISTICS, TRANSFER, Evidence
from figures.study.verdicts.places import Place, as_json
from figures.study.verdicts.text import entry, pooled_places, spoken_path
from minima.store.plain import to_json

CODE = "figures/study/claims/views.py"
"""computes the views' numbers"""


def numbers(
    judged: Mapping[str, Sequence[Judgement]],
    evidence: Evidence,
    fixed: Fixed,
    path: Path = CLAIMS,
    told: Sequence[Judgement] = (),
) -> str:
    """The numbers of the table for JSON, by arm and claim.

    Args:
        path: the file that fixed the claims.
        told: the secondary comparisons.
    """
    arms = fixed.arms
    found = {
        "model": evidence.model,
        "seeds": list(evidence.seeds),
        "one_shot": arms.one_shot,
        "gradual": arms.gradual,
        "seeds_planned": fixed.seeds,
        "claims": {arm: [_entry(judgement) for judgement in each] for arm, each in judged.items()},
        "secondary": [
            _entry(judgement) | {"arms": [other.first, other.second]}
            for judgement, other in zip(told, fixed.secondary, strict=True)
        ],
        "places": as_json(_places(judged, evidence, fixed, path, told)),
    }
    return to_json(found, indent=1, ensure_ascii=False) + "\n"


def _entry(judgement: Judgement) -> dict[str, Any]:
    """A claim's outcome, and of each view its words on the page."""
    found = entry(judgement)
    views = [
        view | {"printed": asdict(printed(each))} for view, each in zip(found["views"], judgement.views, strict=True)
    ]
    return found | {"views": views}


def _places(
    judged: Mapping[str, Sequence[Judgement]],
    evidence: Evidence,
    fixed: Fixed,
    path: Path,
    told: Sequence[Judgement],
) -> Iterator[Place]:
    """Every row of the table, and the measures that its numbers are computed from."""
    where, jobs = spoken_path(path), f"{evidence.study}-{evidence.model}-"
    for arm, judgements in judged.items():
        beside = "" if arm == fixed.arms.gradual else f"{look(arm).label}: "
        for judgement in judgements:
            yield from (_view(judgement, each, where, jobs, beside) for each in judgement.views)
    for judgement in told:
        yield from (_view(judgement, each, where, jobs) for each in judgement.views)
    yield from pooled_places(evidence.errors, ERROR, lambda _: ERRORS[0], jobs)
    yield from pooled_places(evidence.probes, PROBE, lambda _: TRANSFER[0], jobs)


def _view(judgement: Judgement, judged: Judged, path: str, jobs: str, beside: str = "") -> Place:
    claim, view, shown = judgement.claim, judged.view, printed(judged)
    power = zip(
        ("standard deviation", "found in 8 of 10 studies:"),
        could_find(judged, len(judgement.views)) or (),
        strict=False,
    )
    return Place(
        claim.name,
        claim.text,
        f"{beside}{spoken(view)}, n = {shown.pairs}",
        shown.numbers | dict(power),
        STATISTICS[view.statistic].reads,
        CODE,
        path,
        jobs,
    )
