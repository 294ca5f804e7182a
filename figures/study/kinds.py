"""The kinds of study, and a TOML file read as one of them."""

from __future__ import annotations

from pathlib import Path

from figures.study.claims.study import ClaimsStudy
from figures.study.comparison.study import MethodsStudy
from figures.study.configuration.command_lines import check_commands
from figures.study.configuration.study import Study
from figures.study.configuration.toml_file import kind_of, read_toml
from figures.study.findings.study import FindingsStudy
from minima.store.command import BadInput

KINDS: dict[str, type[Study]] = {"methods": MethodsStudy, "claims": ClaimsStudy, "findings": FindingsStudy}
"""what the key `kind` of a file says"""


def read_study(path: Path) -> Study:
    """The study that a TOML file describes, with every key, method, name and flag in it checked.

    Raises:
        BadInput: the file, the key, what was found and what was expected.
    """
    kind, table = kind_of(read_toml(path), path)
    if kind not in KINDS:
        raise BadInput(f"{path}: kind = {kind!r}: there is no such kind of study. Known: {', '.join(KINDS)}")
    study = KINDS[kind].read(table, path)
    check_commands(study.plan(), str(path))
    return study
