"""The claims table as Markdown for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from figures.drawing.style import look, spoken_model
from figures.statistics.power import detectable
from figures.study.claims.claims import CLAIMS, Arms, Fixed, Judged, Judgement, View
from figures.study.claims.views import STATISTICS, Evidence
from figures.study.verdicts.places import linked
from figures.study.verdicts.text import (
    DIRECTIONS,
    STAGES,
    Printed,
    interval,
    missed,
    number,
    pooled,
    probability,
    seeds_of,
    spoken_path,
)
from minima.store.table import render_markdown

ERROR, PROBE = "test error", "probe accuracy"
"""the tables of numbers pooled over seeds"""
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
    sources: str = "",
) -> str:
    """The table with every number, verdicts of the other gradual methods, and errors pooled over seeds.

    Args:
        path: the file that fixed the claims.
        told: the secondary comparisons.
        sources: the page that numbers link to, which tells where they come from ("": none).
    """
    arms = fixed.arms
    lines = [
        "# The claims of the core paper, and what this run says",
        "",
        f"{spoken_model(evidence.model)}, {seeds_of(len(evidence.seeds))}. "
        f"One-shot: {look(arms.one_shot).label}. Gradual: {look(arms.gradual).label}.",
        *_partial(evidence, fixed),
        "",
        *(_claims(judged[arms.gradual], sources) if fixed.claims else ()),
        "",
        NOTES.format(spoken_path(path)),
        "",
        *_power(judged[arms.gradual], sources),
        *(("## The same with other gradual methods", "", *_beside(judged, arms, sources), "") if arms.beside else ()),
        *(("## Secondary comparisons: intervals, and no verdict", "", *_secondary(told, sources), "") if told else ()),
        "## Test error, pooled over seeds (%)",
        "",
        *pooled(evidence.errors, "error", sources, ERROR),
        "",
        "## Accuracy of a linear probe on classes the network never saw, pooled over seeds (%)",
        "",
        *pooled(evidence.probes, "accuracy", sources, PROBE),
        *missed({"": evidence.reached, " (on the source classes)": evidence.reached_on_source}, arms.reached_within),
    ]
    return "\n".join(lines) + "\n"


def _claims(judgements: Sequence[Judgement], sources: str) -> list[str]:
    rows = []
    for judgement in judgements:
        p = "" if not judgement.views else f"p {probability(judgement.adjusted)}"
        rows.append([f"**{judgement.claim.text}**", *[""] * 5, p, "", f"**{judgement.verdict}**"])
        rows += [_row(view, judgement, sources) for view in judgement.views]
    heads = ("claim", "view", "paper expects", "pairs", "median", "95 % interval", "p", "p equivalent", "verdict")
    return render_markdown(heads, rows).splitlines()


def _row(judged: Judged, judgement: Judgement, sources: str) -> list[str]:
    shown = printed(judged)
    shown = replace(shown, median=linked(shown.median, sources, judgement.claim.name))
    return ["", *asdict(shown).values(), judged.verdict]


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


def _beside(judged: Mapping[str, Sequence[Judgement]], arms: Arms, sources: str) -> list[str]:
    """A verdict for each claim and gradual method; what was not measured for a method leaves it undecided."""
    columns = [arms.gradual, *arms.beside]
    rows = [
        [
            linked(judgement.claim.text, sources, judgement.claim.name),
            *(_in_words(judged[arm][index]) for arm in columns),
        ]
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


def _secondary(told: Sequence[Judgement], sources: str) -> list[str]:
    rows: list[list[Any]] = []
    for judgement in told:
        rows.append([f"**{judgement.claim.text}**", *[""] * 4])
        for each in judgement.views:
            shown = printed(each)
            median = linked(shown.median, sources, judgement.claim.name)
            rows.append(["", spoken(each.view), shown.pairs, median, shown.interval])
    return render_markdown(["comparison", "view", "pairs", "median", "95 % interval"], rows).splitlines()


def spoken(view: View) -> str:
    """A view in words, with its sparsities."""
    at = ", ".join(f"{100 * sparsity:g}" for sparsity in view.sparsities)
    return f"{STATISTICS[view.statistic].meaning}, {at} %, {STAGES[view.stage]}"


def could_find(judged: Judged, members: int) -> tuple[str, str] | None:
    """The deviation of a view's pairs, and the effect that so many would have found; None where that means nothing."""
    view, summary = judged.view, judged.summary
    effect = detectable(summary.n, members) * summary.deviation
    if view.direction == "zero" or not math.isfinite(effect):
        return None
    unit = STATISTICS[view.statistic].unit
    return f"{summary.deviation:.3g} {unit}", f"{effect:.3g} {unit}"


def _power(judgements: Sequence[Judgement], sources: str) -> list[str]:
    """What the design could have found, view by view, given how much the pairs differ from one another."""
    rows = []
    for judgement in judgements:
        for each in judgement.views:
            found = could_find(each, len(judgement.views))
            if found:
                said = f"{judgement.claim.text}: {STATISTICS[each.view.statistic].meaning}, {STAGES[each.view.stage]}"
                rows.append([said, found[0], linked(found[1], sources, judgement.claim.name)])
    if not rows:
        return []
    heads = ("view", "standard deviation of the pairs", "found in 8 of 10 studies")
    table = render_markdown(heads, rows).splitlines()
    return ["## What so many seeds could have found", "", POWER, "", *table, ""]
