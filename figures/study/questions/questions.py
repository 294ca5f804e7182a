"""The questions that studies answer, as `questions.toml` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.study.configuration.toml_file import parse_toml
from minima.store.command import BadInput

QUESTIONS = Path(__file__).with_name("questions.toml")


@dataclass(frozen=True)
class Question:
    """A question in the words of somebody who has read the abstracts only."""

    name: str
    """of its page"""
    title: str
    claims: tuple[str, ...]
    """names of the claims and statements, of any study, that bear on it"""
    papers: str
    """what the papers say"""
    measured: str
    """how studies put that to the test"""
    limits: tuple[str, ...]
    """what an answer does not say"""


def load_questions(path: Path = QUESTIONS) -> list[Question]:
    """All questions, in the order of the file.

    Raises:
        BadInput: a key is missing or too many.
    """
    return [_question(table, path) for table in parse_toml(path)["question"]]


def _question(table: Mapping[str, Any], path: Path) -> Question:
    expected, found = set(Question.__dataclass_fields__), set(table)
    if expected != found:
        wrong = ", ".join(sorted(expected ^ found))
        raise BadInput(f"{path}: [[question]] {table.get('name')}: {wrong}: missing or unknown")
    texts = {key: value.strip() for key, value in table.items() if isinstance(value, str)}
    return Question(**texts, claims=tuple(table["claims"]), limits=tuple(table["limits"]))
