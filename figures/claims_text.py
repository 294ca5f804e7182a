"""The claims table as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from figures.claims import Arms, Judged, Judgement
from figures.evidence import Key
from figures.style import look, spoken_model
from figures.views import STATISTICS, Evidence

STAGES = {
    "unfinished": "as left by the method",
    "finished": "after the common finish",
    "matched": "at equal training loss",
    "source": "as left by the method",
}
DIRECTIONS = {"above": "> 0", "below": "< 0", "zero": "= 0"}

NOTES = """\
Pairs are seeds: gradual minus one-shot, each seed's value being the mean over the sparsities of the claim. Interval: of
the median, distribution-free, at least 95 %. p: exact two-sided Wilcoxon signed-rank test, adjusted by Holm over the
views of the claim; a claim's own p is the largest of its views', adjusted over the claims. Equivalent: two one-sided
tests within the margin. A claim is confirmed, contradicted or equivalent only if all its views are. Fixed before the
run in `figures/claims.toml`."""


def markdown(judged: Mapping[str, Sequence[Judgement]], evidence: Evidence, arms: Arms) -> str:
    """The table with every number, verdicts of the other gradual methods, and errors pooled over seeds."""
    lines = [
        "# The claims of the core paper, and what this run says",
        "",
        f"{spoken_model(evidence.model)}, {len(evidence.seeds)} seeds. "
        f"One-shot: {look(arms.one_shot).label}. Gradual: {look(arms.gradual).label}.",
        "",
        *_claims(judged[arms.gradual]),
        "",
        NOTES,
        "",
        "## The same with other gradual methods",
        "",
        *_beside(judged, arms),
        "",
        "## Test error, pooled over seeds (%)",
        "",
        *_pooled(evidence.errors, "error"),
        "",
        "## Accuracy of a linear probe on classes the network never saw, pooled over seeds (%)",
        "",
        *_pooled(evidence.probes, "accuracy"),
        *_missed(evidence, arms),
    ]
    return "\n".join(lines) + "\n"


def _claims(judgements: Sequence[Judgement]) -> list[str]:
    rows = [
        "| claim | view | paper expects | pairs | median | 95 % interval | p | p equivalent | verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for judgement in judgements:
        p = "" if not judgement.views else f"p {_p(judgement.adjusted)}"
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
        interval(judged),
        _p(judged.adjusted),
        f"{_p(summary.p_equivalent)} (±{view.margin:g})",
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


def _pooled(per_network: Mapping[Key, float], called: str) -> list[str]:
    """Mean over seeds, which is the error (or accuracy) of all seeds' predictions taken together."""
    cells: dict[tuple[str, float, str], list[float]] = {}
    for key, value in per_network.items():
        cells.setdefault((key.arm, key.sparsity, key.stage), []).append(value)
    rows = [f"| method | removed | stage | seeds | {called} | standard error |", "|---|---|---|---|---|---|"]
    for (arm, sparsity, stage), values in sorted(cells.items()):
        spread = np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        removed = f"{100 * sparsity:g} %" if sparsity else "-"
        rows.append(
            f"| {look(arm).label} | {removed} | {STAGES[stage]} | {len(values)} | "
            f"{np.mean(values):.2f} | {spread:.2f} |"
        )
    return rows


def _missed(evidence: Evidence, arms: Arms) -> list[str]:
    """Networks that did not reach the sparsity asked for: they are in no pair."""
    missed = [
        f"- {look(arm).label}, seed {seed}: {100 * sparsity:.2f} % of {100 * asked:g} %{where}"
        for where, reached in (("", evidence.reached), (" (on the source classes)", evidence.reached_on_source))
        for (arm, asked, seed), sparsity in sorted(reached.items())
        if abs(sparsity - asked) > arms.reached_within
    ]
    return ["", "## Sparsities not reached, left out of the pairs", "", *missed] if missed else []


def numbers(judged: Mapping[str, Sequence[Judgement]], evidence: Evidence, arms: Arms) -> str:
    """Everything in the table, by arm and claim."""
    found = {
        "model": evidence.model,
        "seeds": list(evidence.seeds),
        "one_shot": arms.one_shot,
        "gradual": arms.gradual,
        "claims": {arm: [_entry(judgement) for judgement in each] for arm, each in judged.items()},
    }
    return json.dumps(_plain(found), indent=1, ensure_ascii=False) + "\n"


def _entry(judgement: Judgement) -> dict[str, Any]:
    views = [
        asdict(judged.view) | asdict(judged.summary) | {"p_adjusted": judged.adjusted, "verdict": judged.verdict}
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


def _plain(value: Any) -> Any:
    """NaN has no JSON: null."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def number(value: float) -> str:
    """With a sign and three digits; a dash for what is not known.

    >>> number(0.01234), number(-12.3456), number(float("nan"))
    ('+0.0123', '-12.3', '–')
    """
    return "–" if not math.isfinite(value) else f"{value:+.3g}"


def interval(judged: Judged) -> str:
    """Both ends of the median's interval."""
    summary = judged.summary
    return f"{number(summary.low)} to {number(summary.high)}" if math.isfinite(summary.low) else "–"


def _p(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
