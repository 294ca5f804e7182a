"""The statements fixed in `findings.toml` and what a study says of them, as a picture, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.drawing.figure_command import Drawing, command
from figures.study.findings.inputs import read_inputs
from figures.study.findings.numbers import numbers
from figures.study.findings.outcome import judge
from figures.study.findings.picture import picture
from figures.study.findings.statements import FINDINGS, load_findings
from figures.study.findings.text import markdown
from minima.store.files import write_atomically


@dataclass(frozen=True, kw_only=True)
class Judging(Drawing):
    """Flags of the page."""

    statements: Path = FINDINGS
    """TOML file of the statements, fixed before the runs (default: the suite's own)"""
    sources: str = ""
    """page beside it that its numbers link to, as `figures.study redraw` writes it (default: none)"""


def draw(inputs: Sequence[Path], out: Path, statements: Path = FINDINGS, sources: str = "") -> list[Path]:
    """Judge the statements by tables of comparisons, results of `pruning.collapse` and of `landscape.stability`."""
    findings, found = load_findings(statements), read_inputs(inputs)
    outcomes = [judge(findings, found, setting) for setting in found.settings or (None,)]
    written = picture(outcomes, out)
    for ending, text in ((".md", markdown(outcomes, findings, sources)), (".json", numbers(outcomes, findings))):
        target = out.with_name(f"findings{ending}")
        write_atomically(target, text.encode())
        written.append(target)
    return written


if __name__ == "__main__":
    command(draw, "study.findings.draw", __doc__ or "", Judging)
