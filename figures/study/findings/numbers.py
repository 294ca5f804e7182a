"""The verdicts on the findings as JSON: every number, and what each is computed from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from figures.study.findings.inputs import EDGE
from figures.study.findings.outcome import Judged, Judgement, Outcome
from figures.study.findings.statements import Findings, View
from figures.study.findings.text import errors_of, pooled_errors, printed
from figures.study.networks.networks import DENSE
from figures.study.verdicts.places import Place, as_json
from figures.study.verdicts.text import entry, pooled_places, spoken_path
from minima.store.plain import to_json

CODE = "figures/study/findings/values.py"
"""computes the views' numbers"""


def numbers(outcomes: Sequence[Outcome], findings: Findings) -> str:
    """Everything in the tables of verdicts, by setting and statement."""
    found = {
        "reached_within": findings.reached_within,
        "settings": [_setting(outcome) for outcome in outcomes],
        "places": as_json(_places(outcomes, findings)),
    }
    return to_json(found, indent=1, ensure_ascii=False) + "\n"


def _setting(outcome: Outcome) -> dict[str, object]:
    setting = outcome.setting
    named = {
        "comparison": setting.name if setting else None,
        "learning_rate": setting.rate if setting else None,
        "model": setting.model if setting else None,
        "data": setting.data if setting else None,
        "seeds": list(setting.seeds) if setting else [],
    }
    return named | {"claims": [_claim(judgement, outcome) for judgement in outcome.judgements]}


def _claim(judgement: Judgement, outcome: Outcome) -> dict[str, object]:
    """With the seeds that were left out, and each view's words on the page."""
    said = entry(judgement)
    for view, judged in zip(said["views"], judgement.views, strict=True):
        found = outcome.samples[judged.view]
        words = asdict(printed(judged, found))
        view |= {"lacking": found.lacking, "unreached": found.unreached, "printed": words}
    return said


def _places(outcomes: Sequence[Outcome], findings: Findings) -> Iterator[Place]:
    """Every row of the tables, and the jobs that its numbers are computed from."""
    path = spoken_path(findings.path)
    for outcome in outcomes:
        for judgement in outcome.judgements:
            yield from (_view(judgement, judged, outcome, path) for judged in judgement.views)
        setting = outcome.setting
        if setting:
            errors, jobs = pooled_errors(setting), f"{setting.name}-"
            yield from pooled_places(errors, errors_of(setting), lambda key: _cell(key.arm, key.sparsity), jobs)


def _view(judgement: Judgement, judged: Judged, outcome: Outcome, path: str) -> Place:
    view, shown = judged.view, printed(judged, outcome.samples[judged.view])
    compared = outcome.setting is not None and view.table == "comparison"
    said = f"{shown.view}, n = {shown.pairs}" + (f" ({outcome.label})" if compared else "")
    return Place(
        judgement.claim.name,
        judgement.claim.text,
        said,
        shown.numbers,
        reads(view),
        CODE,
        path,
        f"{outcome.setting.name}-" if compared and outcome.setting else "",
    )


def reads(view: View) -> tuple[str, ...]:
    """The jobs that a view is computed from, by what follows the seed in their names.

    >>> reads(View("difference", "error", "below", (("snip",), ("dense",)), (0.9, 0.95)))
    ('snip-0.9', 'snip-0.95', 'dense')
    """
    if view.table == "collapse":
        return ("collapse",)
    if view.table == "edge":
        return (f"{EDGE}{view.labels}.stability",)
    cells = (_cell(member, sparsity) for arm in view.arms for member in arm for sparsity in view.sparsities)
    return tuple(dict.fromkeys(cells))


def _cell(arm: str, sparsity: float) -> str:
    return arm if arm == DENSE or not sparsity else f"{arm}-{sparsity!r}"
