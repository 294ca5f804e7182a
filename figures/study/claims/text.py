"""The claims table as Markdown for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from figures.drawing.style import look, spoken_model
from figures.statistics.power import detectable
from figures.study.claims.claims import CLAIMS, Arms, Fixed, Judged, Judgement
from figures.study.claims.views import STATISTICS, Evidence
from figures.study.verdicts.text import (
    DIRECTIONS,
    STAGES,
    Printed,
    entry,
    interval,
    missed,
    number,
    pooled,
    probability,
    seeds_of,
    spoken_path,
)
from minima.store.plain import to_json
from minima.store.table import render_markdown

NOTES = """\
Pairs are seeds: gradual minus one-shot, each seed's value being the mean over the sparsities of the claim. Interval: of
the median, distribution-free, at least 95 %. p: exact two-sided Wilcoxon signed-rank test, adjusted by Holm over the
views of the claim; a claim's own p is the largest of its views', adjusted over the claims. Equivalent: two one-sided
tests within the margin. A claim is confirmed, contradicted or equivalent only if all its views are. Fixed before the
run in `{}`."""
POWER = """\
The mean difference that would have been found in 8 of 10 such studies, were the pairs normally distributed with the
standard deviation that they have here, in the first step of Holm's adjustment over the views of the claim
(`python -m figures.statistics.power`)."""


def markdown(
    judged: Mapping[str, Sequence[Judgement]],
    evidence: Evidence,
    fixed: Fixed,
    path: Path = CLAIMS,
    told: Sequence[Judgement] = (),
) -> str:
    """The table with every number, verdicts of the other gradual methods, and errors pooled over seeds.

    Args:
        path: the file that fixed the claims.
        told: the secondary comparisons.
    """
    arms = fixed.arms
    lines = [
        "# The claims of the core paper, and what this run says",
        "",
        f"{spoken_model(evidence.model)}, {seeds_of(len(evidence.seeds))}. "
        f"One-shot: {look(arms.one_shot).label}. Gradual: {look(arms.gradual).label}.",
        *_partial(evidence, fixed),
        "",
        *(_claims(judged[arms.gradual]) if fixed.claims else ()),
        "",
        NOTES.format(spoken_path(path)),
        "",
        *_power(judged[arms.gradual]),
        *(("## The same with other gradual methods", "", *_beside(judged, arms), "") if arms.beside else ()),
        *(("## Secondary comparisons: intervals, and no verdict", "", *_secondary(told), "") if told else ()),
        "## Test error, pooled over seeds (%)",
        "",
        *pooled(evidence.errors, "error"),
        "",
        "## Accuracy of a linear probe on classes the network never saw, pooled over seeds (%)",
        "",
        *pooled(evidence.probes, "accuracy"),
        *missed({"": evidence.reached, " (on the source classes)": evidence.reached_on_source}, arms.reached_within),
    ]
    return "\n".join(lines) + "\n"


def _claims(judgements: Sequence[Judgement]) -> list[str]:
    rows = []
    for judgement in judgements:
        p = "" if not judgement.views else f"p {probability(judgement.adjusted)}"
        rows.append([f"**{judgement.claim.text}**", *[""] * 5, p, "", f"**{judgement.verdict}**"])
        rows += [_row(view) for view in judgement.views]
    heads = ("claim", "view", "paper expects", "pairs", "median", "95 % interval", "p", "p equivalent", "verdict")
    return render_markdown(heads, rows).splitlines()


def _row(judged: Judged) -> list[str]:
    return ["", *asdict(printed(judged)).values(), judged.verdict]


def printed(judged: Judged) -> Printed:
    """The numbers of a view as a page prints them."""
    view, summary = judged.view, judged.summary
    statistic = STATISTICS[view.statistic]
    return Printed(
        view=f"{statistic.meaning}, {STAGES[view.stage]}",
        expected=DIRECTIONS[view.direction],
        pairs=str(summary.n),
        median=f"{number(summary.median)} {statistic.unit}".strip(),
        interval=interval(summary),
        p=probability(judged.adjusted),
        equivalent=f"{probability(summary.p_equivalent)} (±{view.margin:g})",
    )


def _beside(judged: Mapping[str, Sequence[Judgement]], arms: Arms) -> list[str]:
    """A verdict for each claim and gradual method; what was not measured for a method leaves it undecided."""
    columns = [arms.gradual, *arms.beside]
    rows = [
        [judgement.claim.text, *(_in_words(judged[arm][index]) for arm in columns)]
        for index, judgement in enumerate(judged[arms.gradual])
    ]
    return render_markdown(["claim", *(look(arm).label for arm in columns)], rows).splitlines()


def _in_words(judgement: Judgement) -> str:
    if not judgement.views:
        return judgement.verdict
    measured = [view for view in judgement.views if view.summary.n]
    if not measured:
        return "not measured"
    counts = [f"{view.verdict} {number(view.summary.median)}" for view in measured]
    return f"**{judgement.verdict}** ({'; '.join(counts)})"


def _partial(evidence: Evidence, fixed: Fixed) -> list[str]:
    """A word where seeds are missing that were planned."""
    if len(evidence.seeds) >= fixed.seeds:
        return []
    return [
        "",
        f"**Partial: {len(evidence.seeds)} of {seeds_of(fixed.seeds)}. No verdict is given before all are there.**",
    ]


def _secondary(told: Sequence[Judgement]) -> list[str]:
    rows: list[list[Any]] = []
    for judgement in told:
        rows.append([f"**{judgement.claim.text}**", *[""] * 4])
        for view, summary in ((each.view, each.summary) for each in judgement.views):
            statistic = STATISTICS[view.statistic]
            at = ", ".join(f"{100 * sparsity:g}" for sparsity in view.sparsities)
            what = f"{statistic.meaning}, {at} %, {STAGES[view.stage]}"
            median = f"{number(summary.median)} {statistic.unit}".strip()
            rows.append(["", what, summary.n, median, interval(summary)])
    return render_markdown(["comparison", "view", "pairs", "median", "95 % interval"], rows).splitlines()


def _power(judgements: Sequence[Judgement]) -> list[str]:
    """What the design could have found, view by view, given how much the pairs differ from one another."""
    rows = []
    for judgement in judgements:
        for each in judgement.views:
            view, summary = each.view, each.summary
            effect = detectable(summary.n, len(judgement.views)) * summary.deviation
            if view.direction != "zero" and math.isfinite(effect):
                said = f"{judgement.claim.text}: {STATISTICS[view.statistic].meaning}, {STAGES[view.stage]}"
                unit = STATISTICS[view.statistic].unit
                rows.append([said, f"{summary.deviation:.3g} {unit}", f"{effect:.3g} {unit}"])
    if not rows:
        return []
    heads = ("view", "standard deviation of the pairs", "found in 8 of 10 studies")
    table = render_markdown(heads, rows).splitlines()
    return ["## What so many seeds could have found", "", POWER, "", *table, ""]


def numbers(
    judged: Mapping[str, Sequence[Judgement]], evidence: Evidence, fixed: Fixed, told: Sequence[Judgement] = ()
) -> str:
    """The numbers of the table for JSON, by arm and claim."""
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
    }
    return to_json(found, indent=1, ensure_ascii=False) + "\n"


def _entry(judgement: Judgement) -> dict[str, Any]:
    """A claim's outcome, and of each view the measures that it is computed from and its words on the page."""
    found = entry(judgement)
    views = [
        view | {"reads": list(STATISTICS[view["statistic"]].reads), "printed": asdict(printed(judged))}
        for view, judged in zip(found["views"], judgement.views, strict=True)
    ]
    return found | {"views": views}
