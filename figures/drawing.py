"""`python -m figures.NAME RESULTS.h5 ... -o fig/NAME`: the command line all figures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from store.command import BadInput, Command, Report, run

Draw = Callable[[Sequence[Path], Path], list[Path]]


@dataclass(frozen=True, kw_only=True)
class Drawing(Command):
    """Flags of a figure."""

    inputs: tyro.conf.Positional[tuple[Path, ...]]
    """results files (.h5) of the workflow"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """where to draw, without an ending: .svg and .png are added"""


def command(draw: Draw, name: str, description: str) -> NoReturn:
    """Run `draw` as the command `python -m figures.NAME`."""

    def main(arguments: Drawing) -> Report:
        for path in arguments.inputs:
            if not path.is_file():
                raise BadInput(f"{path}: there is no such results file. `make figures` makes it")
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        written = [str(path) for path in draw(arguments.inputs, arguments.out)]
        return Report({"written": written}, "\n".join(written))

    run(Drawing, main, prog=f"python -m figures.{name}", description=description)
