"""Everything that can be drawn of some results files: which figures fit them, under which names, and what does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures.drawing.catalogue import Figure, figures
from figures.drawing.reads import Page
from figures.reading.contents import Contents, contents
from minima.store.files import readable
from minima.store.hdf5.opening import taken_as_written
from minima.store.messages import BadInput

MOST = 10
"""pictures of one figure: those of further networks are drawn by the figure's own command"""
NOTHING = "no figure reads what is in this result of {}; `python -m figures list` tells what each reads"


@dataclass(frozen=True)
class Picture:
    """One picture to draw, or drawn."""

    figure: Figure
    page: Page
    out: Path
    """without an ending"""


@dataclass(frozen=True)
class Drawn:
    """The pictures that were drawn of some results files, and what was left out."""

    written: dict[Picture, list[Path]]
    refused: dict[Picture, str]
    """pictures that would not be drawn, and why"""
    apart: dict[Picture, str]
    """pictures of several files that became one of each, and why"""
    parted: dict[str, list[str]]
    """figures with a picture for each kind of files, and in what these differ: `data`, `loss_name`, ..."""
    without: dict[Path, str]
    """files that no figure fits, and why"""
    beyond: dict[str, str]
    """figures of which there would be more pictures than are drawn, and how to have others"""


def draw_all(inputs: Sequence[Path], folder: Path) -> Drawn:
    """Draw what fits what is in some results files.

    A picture of one file is `STEM.FIGURE`, STEM being the file's name without `.h5`; one of several files together is
    `FIGURE`; where the networks do not fit one picture, further ones have `-2`, `-3`, ... behind them. What a
    figure does not draw together, as networks of other layers, is drawn each by itself.

    A file that holds no results, such as a training's trajectory, is left out and said.

    Raises:
        BadInput: one of the inputs is not there.
    """
    files, without = _looked_into(list(dict.fromkeys(inputs)))
    with taken_as_written(*(file.path for file in files)):
        return _drawn(files, without, folder)


def _drawn(files: Sequence[Contents], without: dict[Path, str], folder: Path) -> Drawn:
    known = [figure for figure in figures().values() if not figure.reads.study]
    pages = {each: each.reads.pages([file for file in files if each.reads.fits(file)]) for each in known}
    pictures = list(_pictures(pages, folder))
    written: dict[Picture, list[Path]] = {}
    refused: dict[Picture, str] = {}
    apart: dict[Picture, str] = {}
    waiting = pictures[::-1]
    while waiting:
        picture = waiting.pop()
        try:
            with taken_as_written(*picture.page.files):
                written[picture] = picture.figure.draw(picture.page, picture.out)
        except BadInput as error:
            alone = _one_by_one(picture)
            (apart if alone else refused)[picture] = str(error)
            waiting += alone[::-1]
    fitting = {path for each in pages.values() for page in each for path in page.files}
    without |= {file.path: NOTHING.format(file.measure) for file in files if file.path not in fitting}
    parted = {each.name: each.reads.parting(files) for each in known}
    beyond = {figure.name: _others(figure, len(each)) for figure, each in pages.items() if len(each) > MOST}
    return Drawn(written, refused, apart, {name: keys for name, keys in parted.items() if keys}, without, beyond)


def _others(figure: Figure, count: int) -> str:
    """How to have the pictures of a figure that are not drawn."""
    one = f"python -m figures.{figure.name} FILE.h5 --checkpoint NAME ... -o OUT"
    return f"the first {MOST} of {count} pictures. For others type fewer files{f', or `{one}`' * figure.chooses}"


def _one_by_one(picture: Picture) -> list[Picture]:
    """A picture of each file of one that shows several; [] of one file."""
    files = picture.page.files if len(picture.page.files) > 1 else ()
    return [
        Picture(picture.figure, Page((path,)), picture.out.with_name(f"{path.stem}.{picture.figure.name}"))
        for path in files
    ]


def _looked_into(paths: Sequence[Path]) -> tuple[list[Contents], dict[Path, str]]:
    """What is in the files that hold results, and what is the matter with the others."""
    files, others = [], {}
    for path in paths:
        with readable(path):
            path.open("rb").close()
        try:
            files.append(contents(path))
        except BadInput as error:
            others[path] = str(error)
    return files, others


def _pictures(pages: Mapping[Figure, Sequence[Page]], folder: Path) -> Iterator[Picture]:
    for figure, each in pages.items():
        used: dict[str, int] = {}
        for page in each[:MOST]:
            base = f"{page.files[0].stem}.{figure.name}" if len(page.files) == 1 else figure.name
            used[base] = used.get(base, 0) + 1
            yield Picture(figure, page, folder / (base if used[base] == 1 else f"{base}-{used[base]}"))
