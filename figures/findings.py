"""The statements fixed in `findings.toml` and what a study says of them, as a picture, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from figures.drawing import command
from figures.findings_claims import load_findings
from figures.findings_inputs import read_inputs
from figures.findings_outcome import judge
from figures.findings_picture import picture
from figures.findings_text import markdown, numbers
from store.files import write_atomically


def draw(inputs: Sequence[Path], out: Path) -> list[Path]:
    """Judge the statements by tables of `pruning.compare`, results of `pruning.collapse` and `landscape.stability`."""
    findings, found = load_findings(), read_inputs(inputs)
    outcomes = [judge(findings, found, setting) for setting in found.settings or (None,)]
    written = picture(outcomes, out)
    for ending, text in ((".md", markdown(outcomes, findings)), (".json", numbers(outcomes, findings))):
        target = out.with_name(f"findings{ending}")
        write_atomically(target, text.encode())
        written.append(target)
    return written


if __name__ == "__main__":
    command(draw, "findings", __doc__ or "")
