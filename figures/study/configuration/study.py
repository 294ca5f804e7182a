"""What every kind of study is: a plan of jobs, and something to say once they are done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures.study.engine.jobs import Plan


@dataclass(frozen=True)
class Conclusion:
    """What a study came to, for scripts and for people."""

    summary: dict[str, Any]
    text: str


class Study(ABC):
    """A study, as a TOML file describes it."""

    @classmethod
    @abstractmethod
    def read(cls, table: Mapping[str, Any], path: Path) -> Study:
        """The study of a file's keys, all checked.

        Args:
            table: the file's keys, those of the file that it is like included.
            path: the file, for messages and for what lies beside it.

        Raises:
            BadInput: the file, the key, what was found and what was expected.
        """

    @abstractmethod
    def plan(self) -> Plan:
        """The jobs that the study asks for."""

    @abstractmethod
    def conclude(self, missing: Set[str], sources: str = "") -> Conclusion:
        """Write and draw what is no job of its own, of what is there.

        Args:
            missing: files of jobs that were not done.
            sources: the page, beside those that are written, that their numbers link to ("": none).
        """
