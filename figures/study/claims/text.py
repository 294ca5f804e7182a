"""The claims table as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures.drawing.style import look, spoken_model
from figures.study.claims.claims import CLAIMS, Arms, Judged, Judgement
from figures.study.claims.views import STATISTICS, Evidence
from figures.study.verdicts.text import (
    DIRECTIONS,
    STAGES,
    entry,
    interval,
    missed,
    number,
    plain,
    pooled,
    probability,
    spoken_path,
)

NOTES = """\
Pairs are seeds: gradual minus one-shot, each seed's value being the mean over the sparsities of the claim. Interval: of
the median, distribution-free, at least 95 %. p: exact two-sided Wilcoxon signed-rank test, adjusted by Holm over the
views of the claim; a claim's own p is the largest of its views', adjusted over the claims. Equivalent: two one-sided
tests within the margin. A claim is confirmed, contradicted or equivalent only if all its views are. Fixed before the
run in `{}`."""


def markdown(judged: Mapping[str, Sequence[Judgement]], evidence: Evidence, arms: Arms, fixed: Path = CLAIMS) -> str:
    """The table with every number, verdicts of the other gradual methods, and errors pooled over seeds."""
    lines = [
        "# The claims of the core paper, and what this run says",
        "",
        f"{spoken_model(evidence.model)}, {len(evidence.seeds)} seeds. "
        f"One-shot: {look(arms.one_shot).label}. Gradual: {look(arms.gradual).label}.",
        "",
        *_claims(judged[arms.gradual]),
        "",
        NOTES.format(spoken_path(fixed)),
        "",
        "## The same with other gradual methods",
        "",
        *_beside(judged, arms),
        "",
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
    rows = [
        "| claim | view | paper expects | pairs | median | 95 % interval | p | p equivalent | verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for judgement in judgements:
        p = "" if not judgement.views else f"p {probability(judgement.adjusted)}"
        rows.append(f"| **{judgement.claim.text}** | | | | | | {p} | | **{judgement.verdict}** |")
        rows += [_row(view) for view in judgement.views]
    return rows


def _row(judged: Judged) -> str:
    view, summary = judged.view, judged.summary
    statistic = STATISTICS[view.statistic]
    cells = [
        "",
        f"{statistic.meaning}, {STAGES[view.stage]}",
        DIRECTIONS[view.direction],
        str(summary.n),
        f"{number(summary.median)} {statistic.unit}".strip(),
        interval(summary),
        probability(judged.adjusted),
        f"{probability(summary.p_equivalent)} (±{view.margin:g})",
        judged.verdict,
    ]
    return "| " + " | ".join(cells) + " |"


def _beside(judged: Mapping[str, Sequence[Judgement]], arms: Arms) -> list[str]:
    """A verdict for each claim and gradual method; what was not measured for a method leaves it undecided."""
    columns = [arms.gradual, *arms.beside]
    rows = ["| claim | " + " | ".join(look(arm).label for arm in columns) + " |", "|---" * (1 + len(columns)) + "|"]
    for index, judgement in enumerate(judged[arms.gradual]):
        words = [_in_words(judged[arm][index]) for arm in columns]
        rows.append(f"| {judgement.claim.text} | " + " | ".join(words) + " |")
    return rows


def _in_words(judgement: Judgement) -> str:
    if not judgement.views:
        return judgement.verdict
    measured = [view for view in judgement.views if view.summary.n]
    if not measured:
        return "not measured"
    counts = [f"{view.verdict} {number(view.summary.median)}" for view in measured]
    return f"**{judgement.verdict}** ({'; '.join(counts)})"


def numbers(judged: Mapping[str, Sequence[Judgement]], evidence: Evidence, arms: Arms) -> str:
    """Everything in the table, by arm and claim."""
    found = {
        "model": evidence.model,
        "seeds": list(evidence.seeds),
        "one_shot": arms.one_shot,
        "gradual": arms.gradual,
        "claims": {arm: [entry(judgement) for judgement in each] for arm, each in judged.items()},
    }
    return json.dumps(plain(found), indent=1, ensure_ascii=False) + "\n"
