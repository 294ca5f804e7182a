"""The page of a question: the answer first, then what papers say, what was measured, every view, and the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from figures.study.questions.evidence import Found, Seen
from figures.study.questions.questions import Question
from figures.study.verdicts.places import SOURCES, linked
from figures.study.verdicts.text import Printed
from minima.store.table import render_markdown

HEADS = ("study and view", "expected", "pairs", "median", "95 % interval", "p", "p equivalent", "verdict")
ORDER = ("contradicted", "undecided", "equivalent", "confirmed", "no verdict", "not yet measured")
"""of the index: first what speaks against the papers, last what is not known"""

HOW_TO_READ = """\
Pairs are seeds. The interval is that of the median, p is exact and adjusted over the views; *equivalent* means that two
one-sided tests find the effect within the margin in brackets. A claim has a verdict if all its views share it, else it
is undecided. Claims, views and margins were fixed in a file before the runs."""
NOT_YET = "Not yet measured by any study of which results are shipped."


def entry(question: Question, found: Sequence[Found]) -> str:
    """The question in the index, with its verdicts."""
    told = [f'    - {each.study}, "{each.text}": {_verdict(each)}' for each in found]
    return "\n".join([f"- [{question.title}]({question.name}.md)", *(told or [f"    - {NOT_YET}"])])


def urgency(found: Sequence[Found]) -> int:
    """The place of a question in the index, by what speaks most against the papers in a whole study."""
    return min((ORDER.index(each.verdict) for each in found if each.whole), default=len(ORDER))


def markdown(question: Question, found: Sequence[Found], others: Sequence[Found], pictures: Sequence[str]) -> str:
    """The whole page of a question as Markdown.

    Args:
        found: the question's claims, study by study.
        others: secondary comparisons that bear on it.
        pictures: files beside the page.
    """
    lines = [f"# {question.title}", "", *_answers(found), ""]
    lines += ["## What papers say", "", question.papers, "", "## How it is put to the test", "", question.measured, ""]
    if found:
        lines += ["## What was found", "", *_table(found), "", HOW_TO_READ, ""]
        lines += [line for picture in pictures for line in (f"![{question.title}]({picture})", "")]
        lines += ["## What the choice of view does", "", *_views(found), ""]
    if others:
        lines += ["## Beside it: other arms and controls, without a verdict", "", *_beside(others), ""]
    lines += ["## Limits", "", *(f"- {limit}" for limit in question.limits), ""]
    lines += ["## Where the numbers come from", "", *_sources(question, found)]
    return "\n".join(lines).rstrip() + "\n"


def _answers(found: Sequence[Found]) -> Iterator[str]:
    if not found:
        yield NOT_YET
    for each in found:
        yield f"- {each.text} ({each.networks}; [{each.study}]({each.study})): {_verdict(each)}"


def _verdict(found: Found) -> str:
    if not found.whole:
        return "**not yet judged**, the study is under way"
    return f"**{found.verdict}**"


def _table(found: Sequence[Found]) -> list[str]:
    rows = []
    for each in found:
        rows.append([f"**{each.study}: {each.text}**", *[""] * 6, _verdict(each).partition(",")[0]])
        rows += [[*asdict(_linked(each, seen)).values(), seen.verdict] for seen in each.views]
    return render_markdown(HEADS, rows).splitlines()


def _linked(found: Found, seen: Seen) -> Printed:
    """A view's numbers, the median leading to where they come from."""
    sources = f"{found.study}/{SOURCES}"
    return replace(seen.printed, median=linked(seen.printed.median, sources, found.name))


def _views(found: Sequence[Found]) -> Iterator[str]:
    """What somebody could have said who had looked at one view only."""
    for each in found:
        sided = [seen for seen in each.views if seen.direction in ("above", "below")]
        if len(sided) < 2:
            yield f'- {each.study}, "{each.text}": one view, so there was no choice.'
            continue
        counts = Counter(_says(seen) for seen in sided)
        told = ", ".join(f"{count} {words}" for words, count in counts.items())
        alone = "" if len(counts) == 1 else " Whoever reports one of them alone can say so."
        yield f'- {each.study}, "{each.text}": of {len(sided)} views {told}.{alone}'


def _says(seen: Seen) -> str:
    if seen.side is None:
        return "cannot be told from zero"
    return "with the papers" if seen.side == seen.direction else "against them"


def _beside(others: Sequence[Found]) -> list[str]:
    rows = []
    for each in others:
        rows.append([f"**{each.study}: {each.text}**", "", "", ""])
        rows += [
            [shown.view, shown.pairs, shown.median, shown.interval]
            for shown in (_linked(each, seen) for seen in each.views)
        ]
    return render_markdown(("arms and view", "pairs", "median", "95 % interval"), rows).splitlines()


def _sources(question: Question, found: Sequence[Found]) -> Iterator[str]:
    """The studies' own pages and sources, and what to type to follow a number to its networks and commands."""
    if not found:
        yield "`python -m figures.study list` tells the studies, and what each takes."
    for study in dict.fromkeys(each.study for each in found):
        yield (
            f"- [{study}]({study}): all tables and pictures; [its sources]({study}/{SOURCES}), to which medians "
            f"above lead; from scratch: `python -m figures.study {study}`."
        )
    for name in question.claims:
        for study in dict.fromkeys(each.study for each in found if each.name == name):
            yield f"- `python -m figures.study trace {study} {name}`: its results, networks (SHA-256) and commands."
