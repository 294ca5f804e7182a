"""`python -m figures.NAME RESULTS.h5 ... -o fig/NAME`: the command line all figures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from figures.drawing.catalogue import figures
from figures.reading.contents import contents
from minima.store.command import BadInput, Command, Report, run
from minima.store.files import open_regular
from minima.store.hdf5.opening import taken_as_written
from minima.store.reading import unchanging

LEGIBLE = 3
"""times as many as suit a picture may be typed into one"""
Draw = Callable[..., list[Path]]
"""of the inputs and the output, and of the figure's own flags by name"""


@dataclass(frozen=True, kw_only=True)
class Drawing(Command):
    """Flags that every figure has."""

    inputs: tyro.conf.Positional[tuple[Path, ...]]
    """results files (.h5)"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """where to draw, without an ending: .svg and .png are added"""


@dataclass(frozen=True, kw_only=True)
class Choosing(Drawing):
    """Flags of a figure that shows some checkpoints beside one another."""

    checkpoint: tuple[str, ...] = ()
    """names of those to show, as `python -m minima.results FILE` lists them (default: all)"""


def command(draw: Draw, name: str, description: str, flags: type[Drawing] = Drawing) -> NoReturn:
    """Run `draw` as the command `python -m figures.NAME`."""

    def main(arguments: Drawing) -> Report:
        if not arguments.inputs:
            raise BadInput("no results file is named: type it behind the command, such as runs/x.psp.h5")
        for path in arguments.inputs:
            open_regular(path).close()
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        shared = {field.name for field in fields(Drawing)}
        own = {field.name: getattr(arguments, field.name) for field in fields(flags) if field.name not in shared}
        with unchanging(), taken_as_written(*arguments.inputs):
            _require_legible(name, arguments.inputs, own.get("checkpoint", ()))
            written = [str(path) for path in draw(arguments.inputs, arguments.out, **own)]
        return Report({"written": written}, "\n".join(written))

    run(flags, main, prog=f"python -m figures.{name}", description=description)


def _require_legible(name: str, inputs: Sequence[Path], chosen: Sequence[str]) -> None:
    """Refuse one picture of more networks than could be told apart.

    Raises:
        BadInput: with what to type.
    """
    figure = figures().get(name)
    if figure is None or figure.reads.study:  # None: a table of a study, which is of no catalogue
        return
    files = [file for file in map(contents, inputs) if figure.reads.fits(file)]
    count = sum(len(set(chosen) & set(file.names)) if chosen else file.subjects for file in files)
    most = LEGIBLE * figure.reads.room
    if count > most:
        others = "Choose with --checkpoint, or type" if figure.chooses else "Type"
        raise BadInput(
            f"{count:,} in one picture of {name} cannot be told apart, at most {most} are drawn.\n"
            f"{others} `python -m figures FILE.h5 ...`, which draws {figure.reads.room} a picture"
        )
