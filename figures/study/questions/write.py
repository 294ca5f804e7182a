"""Writes the pages of all questions, and tells them in the order in which they should be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from figures.study.claims.forest import draw_effects, effects_of
from figures.study.questions.evidence import beside, found_on
from figures.study.questions.page import entry, markdown, urgency
from figures.study.questions.questions import load_questions
from minima.store.files import write_atomically


def write_pages(tables: Sequence[Path], out: Path) -> tuple[list[Path], list[str]]:
    """A page for each question of what studies found.

    Args:
        tables: claims.json and findings.json of studies, each in the folder of its study.
        out: the folder above these.

    Returns:
        the files written, and each question's entry in the index: what speaks against the papers first.
    """
    written, told = list[Path](), list[tuple[int, str]]()
    for question in load_questions():
        found = found_on(question, tables)
        effects = effects_of([path for path in tables if path.name == "claims.json"], question.claims)
        drawn = draw_effects(effects, out / question.name) if effects else []
        pictures = [path.name for path in drawn if path.suffix == ".svg"]
        page = out / f"{question.name}.md"
        write_atomically(page, markdown(question, found, beside(question, tables), pictures).encode())
        written += [*drawn, page]
        told.append((urgency(found), entry(question, found)))
    return written, [words for _, words in sorted(told, key=lambda each: each[0])]
