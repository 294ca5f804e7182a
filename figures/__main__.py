"""`python -m figures FILE.h5 ... [-o FOLDER]`: everything that fits what is in the files; `python -m figures list`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from minima.store.command import BadInput, Command, Report, note, run
from minima.store.listing import tell
from minima.store.table import render_table

if TYPE_CHECKING:
    from figures.drawing.fitting import Drawn


@dataclass(frozen=True, kw_only=True)
class Figures(Command):
    """Flags of `python -m figures`."""

    inputs: tyro.conf.Positional[tuple[Path, ...]]
    """results files (.h5), or `list` for the figures there are and what each reads"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("fig")
    """folder of the pictures (SVG and PNG), made where it is missing"""


def main(arguments: Figures) -> Report:
    """Draw what fits what is in the files."""
    from figures.drawing.fitting import draw_all

    if arguments.inputs == (Path("list"),):
        return _listed()
    if not arguments.inputs:
        raise BadInput("no results file is named: type it behind the command, such as runs/x.psp.h5")
    arguments.out.mkdir(parents=True, exist_ok=True)
    drawn = draw_all(arguments.inputs, arguments.out)
    for path, reason in drawn.without.items():
        note(reason if str(path) in reason else f"{path}: {reason}")
    for picture, reason in drawn.apart.items():
        note(f"{picture.figure.name} was drawn of each file by itself: {reason}")
    for name, keys in drawn.parted.items():
        note(f"{name} was drawn apart for networks that differ in {', '.join(keys).replace('_name', '')}")
    for name, reason in drawn.beyond.items():
        note(f"{name}: {reason}")
    for picture, reason in drawn.refused.items():
        note(f"{picture.figure.name} was left out: {reason}")
    if not drawn.written:
        raise BadInput("no picture was drawn of these files; `python -m figures list` tells what each figure reads")
    return _report(drawn)


def _report(drawn: Drawn) -> Report:
    pictures = [
        {"figure": picture.figure.name, "files": list(picture.page.files), "written": written}
        for picture, written in drawn.written.items()
    ]
    rows = [
        [picture.figure.name, ", ".join(path.name for path in picture.page.files), f"{picture.out}.svg, .png"]
        for picture in drawn.written
    ]
    left_out = [
        *({"files": [path], "reason": why} for path, why in drawn.without.items()),
        *({"files": list(each.page.files), "reason": why} for each, why in drawn.refused.items()),
    ]
    written = [path for paths in drawn.written.values() for path in paths]
    summary = {"written": written, "pictures": pictures, "left_out": left_out}
    return Report(summary, render_table(["figure", "of", "written"], rows))


def _listed() -> Report:
    from figures.drawing.catalogue import figures

    known = figures()
    rows = [[name, each.reads.said(), each.meaning] for name, each in known.items() if not each.reads.study]
    studies = [[name, each.reads.said(), each.meaning] for name, each in known.items() if each.reads.study]
    heads = ["figure", "reads", "shows"]
    text = (
        f"{render_table(heads, rows)}\n\n`python -m figures FILE.h5 ...` draws those that fit; "
        f"`python -m figures.NAME` draws one, with flags of its own.\n\n"
        "Of all files of a study, by `python -m figures.study`:\n\n"
        f"{render_table(heads, studies)}"
    )
    listed = [
        {"figure": name, "reads": each.reads.said(), "shows": each.meaning, "study": each.reads.study}
        for name, each in known.items()
    ]
    return Report({"figures": listed}, text)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        tell("figures", [])
    else:
        run(Figures, main, prog="python -m figures", description=__doc__)
