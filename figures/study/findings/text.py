"""The verdicts on the findings as Markdown for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

import numpy as np

from figures.drawing.style import look, spoken_model
from figures.reading.evidence import Key
from figures.statistics.paired import Paired
from figures.statistics.trend import Trend
from figures.study.findings.inputs import Setting
from figures.study.findings.outcome import Judged, Judgement, Outcome
from figures.study.findings.statements import Findings, View
from figures.study.findings.values import Sample, quantity, share_gone
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

NOTES = """\
Pairs are seeds, the last arm minus the first, each seed's value being the mean over the sparsities named; a seed that
lacks a network, or has one that did not reach its sparsity, is left out and counted in brackets. Interval: of the
median, distribution-free, at least 95 %. p of differences and slopes: exact two-sided Wilcoxon signed-rank test; of
orders: Page's L, two-sided; of ranges: two one-sided tests. All are adjusted by Holm over the views of a statement; a
statement's own p is the largest of its views', adjusted over all statements. Equivalent: two one-sided tests within
the margin. A statement is confirmed, contradicted or equivalent only if all its views are. A significant order says
that the arms rise on the whole, not that each is above the one before. Fixed before the run in
`{}`."""


def markdown(outcomes: Sequence[Outcome], findings: Findings, sources: str = "") -> str:
    """Verdicts of all settings side by side, then each setting's numbers, then its errors.

    Args:
        sources: the page that numbers link to, which tells where they come from ("": none).
    """
    lines = [
        "# Statements of the literature, and what this study says",
        "",
        *_overview(outcomes),
        "",
        NOTES.format(spoken_path(findings.path)),
    ]
    for outcome in outcomes:
        lines += ["", f"## Verdicts: {outcome.label}", ""]
        lines += [networks(outcome.setting) + ".", ""] if outcome.setting else []
        lines += [*_details(outcome, sources), *_against(outcome)]
    for outcome in outcomes:
        if outcome.setting:
            lines += _errors(outcome.setting, findings.reached_within, sources)
    return "\n".join(lines) + "\n"


def networks(setting: Setting) -> str:
    """What networks a setting is of, in words.

    >>> from pathlib import Path
    >>> networks(Setting(Path(), "x", "lenet300", "digits", 0.1, (0, 1), (), (), {}))
    'LeNet-300-100 on digits, 2 seeds'
    """
    return f"{spoken_model(setting.model)} on {setting.data}, {seeds_of(len(setting.seeds))}"


def _overview(outcomes: Sequence[Outcome]) -> Iterator[str]:
    rows = []
    for judgements in zip(*(outcome.judgements for outcome in outcomes), strict=True):
        claim = judgements[0].claim
        alone = "" if any(view.table == "comparison" for view in claim.views) else " \\*"
        rows.append([f"{claim.text}{alone}", claim.source, *map(_verdict, judgements)])
    yield from render_markdown(["statement", "source", *(each.label for each in outcomes)], rows).splitlines()
    yield ""
    yield "\\* On networks of its own: the same in every setting."


def _verdict(judgement: Judgement) -> str:
    measured = judgement.verdict != "not yet measured"
    return f"**{judgement.verdict}**, p {probability(judgement.adjusted)}" if measured else judgement.verdict


def _details(outcome: Outcome, sources: str) -> Iterator[str]:
    rows = []
    for judgement in outcome.judgements:
        p = probability(judgement.adjusted)
        rows.append([f"**{judgement.claim.text}**", *[""] * 4, f"p {p}", "", f"**{judgement.verdict}**"])
        shown = [printed(judged, outcome.samples[judged.view]) for judged in judgement.views]
        shown = [replace(each, median=linked(each.median, sources, judgement.claim.name)) for each in shown]
        rows += [[*asdict(each).values(), view.verdict] for each, view in zip(shown, judgement.views, strict=True)]
    heads = ("statement and view", "expected", "seeds", "median", "95 % interval", "p", "p equivalent", "verdict")
    yield from render_markdown(heads, rows).splitlines()


def printed(judged: Judged, found: Sample) -> Printed:
    """The numbers of a view as a page prints them."""
    view = judged.view
    median, spread = _numbers(judged)
    measured = judged.summary is not None
    equivalent = "–"
    if isinstance(judged.summary, Paired):
        equivalent = f"{probability(judged.summary.p_equivalent)} (±{view.margin:g})"
    p = probability(judged.adjusted) if measured else "–"
    return Printed(spoken(view, STAGES), expected(view), _seeds(found), median, spread, p, equivalent)


def _numbers(judged: Judged) -> tuple[str, str]:
    """Median and interval; of an order, every arm's median and mean rank."""
    view, summary = judged.view, judged.summary
    if summary is None or not summary.n:
        return "–", "–"
    if isinstance(summary, Trend):
        medians = ", ".join(f"{value:.3g}" for value in summary.medians)
        return medians, "mean ranks " + ", ".join(f"{rank:.2f}" for rank in summary.mean_ranks)
    if view.kind == "range":
        middle, low, high = (f"{ratio(view, value):.3g}" for value in (summary.median, summary.low, summary.high))
        return middle, f"{low} to {high}" if math.isfinite(summary.low) else "–"
    return f"{number(summary.median)} {unit(view)}".strip(), interval(summary)


def ratio(view: View, logarithm: float) -> float:
    """A range's value, of its logarithm over the middle."""
    return view.around * float(np.exp(logarithm))


def unit(view: View) -> str:
    """The unit of a view's number."""
    name = quantity(view.value).unit
    return f"{name} per ×10".strip() if view.kind == "slope" else name


def expected(view: View) -> str:
    """What a statement expects of a view, in words."""
    if view.kind == "range":
        return f"{ratio(view, -view.margin):.3g} to {ratio(view, view.margin):.3g}"
    return "rising" if view.kind == "trend" else DIRECTIONS[view.direction]


def spoken(view: View, stages: dict[str, str]) -> str:
    """A view in words.

    >>> from figures.study.findings.statements import load_findings
    >>> spoken(load_findings().claims[0].views[4], {"unfinished": "as left"})
    'rise of test error with compression, iterative magnitude − one-shot magnitude, 50 to 98 %, as left'
    """
    meaning = quantity(view.value).meaning
    arms = [" + ".join(look(member).label for member in arm) for arm in view.arms]
    between = " − ".join(reversed(arms)) if view.kind != "trend" else " < ".join(arms)
    parts = [
        f"rise of {meaning} with compression" if view.kind == "slope" else meaning,
        spoken_model(view.model),
        between,
        _percent(view.sparsities),
        stages.get(view.stage, ""),
        f"{view.labels} labels" if view.labels else "",
    ]
    return ", ".join(part for part in parts if part)


def _percent(sparsities: Sequence[float]) -> str:
    shown = [f"{100 * sparsity:g}" for sparsity in sparsities]
    if len(shown) > 3:
        shown = [f"{shown[0]} to {shown[-1]}"]
    return f"{', '.join(shown)} %" if shown else ""


def _seeds(found: Sample) -> str:
    left_out = [
        f"{count} {why}" for count, why in ((found.lacking, "lacking"), (found.unreached, "unreached")) if count
    ]
    return f"{len(found.rows)} ({', '.join(left_out)})" if left_out else str(len(found.rows))


def against(judgement: Judgement) -> Iterator[str]:
    """The neighbouring arms of a statement's orders of which the later is the lower one."""
    for judged in judgement.views:
        view, summary = judged.view, judged.summary
        if isinstance(summary, Trend):
            arms = [" + ".join(look(member).label for member in arm) for arm in view.arms]
            where = ", ".join(filter(None, (STAGES.get(view.stage), spoken_model(view.model))))
            for before, after, step in zip(arms[:-1], arms[1:], summary.steps, strict=True):
                if step < 0:
                    yield f"{after} below {before}: {number(step)} {unit(view)}".strip() + f" ({where})"


def _against(outcome: Outcome) -> Iterator[str]:
    """Nobody should read a significant trend as a full order."""
    orders = [judged for judgement in outcome.judgements for judged in judgement.views if judged.view.kind == "trend"]
    if not any(judged.summary and judged.summary.n for judged in orders):
        return
    found = [(judgement.claim.text, words) for judgement in outcome.judgements for words in against(judgement)]
    yield ""
    if not found:
        yield "No neighbours go against their order (medians of the paired differences)."
        return
    yield "Neighbours that go against their order (medians of the paired differences):"
    yield ""
    yield from (f"- {text}: {words}" for text, words in found)


def pooled_errors(setting: Setting) -> dict[Key, float]:
    """The test error of every network of a setting, in percent."""
    return {key: 100 * cell["error"] for key, cell in setting.cells.items()}


def errors_of(setting: Setting) -> str:
    """What the table of a setting's errors is called.

    >>> from pathlib import Path
    >>> errors_of(Setting(Path(), "x", "lenet300", "digits", 0.1, (0, 1), (), (), {}))
    'test error, x'
    """
    return f"test error, {setting.name}"


def _errors(setting: Setting, within: float, sources: str) -> list[str]:
    reached = {(key.arm, key.sparsity, key.seed): share_gone(cell) for key, cell in setting.cells.items()}
    return [
        "",
        f"## Test error, pooled over seeds (%): {setting.label}",
        "",
        *pooled(pooled_errors(setting), "error", sources, errors_of(setting)),
        *missed({f" ({setting.label})": reached}, within),
    ]
