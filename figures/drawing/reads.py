"""What a figure declares of the results files it is drawn from, from which follows which files it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from figures.reading.contents import Contents

MANY = 1000


@dataclass(frozen=True)
class Page:
    """The files of one picture, and those of their checkpoints that it shows; () all."""

    files: tuple[Path, ...]
    checkpoints: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reads:
    """The records that a figure reads: the group of one measure, and arrays in it."""

    measure: str
    """the command whose results it shows, which is also the name of their group in the file"""
    arrays: tuple[str, ...] = ()
    """names in that group that must be there; `*` stands for any layer: `*/joint_entropy`"""
    moments: bool | None = None
    """only of the moments of a training (True), only of finished networks (False), or either"""
    room: int = MANY
    """networks, pairs or trainings that one picture can show"""
    least: int = 1
    """how many there must be for it to show anything"""
    across: str = ""
    """the number of a summary that must have `least` different values: what stands on the axis"""
    together: bool = True
    """whether several files go into one picture"""
    alike: tuple[str, ...] = ()
    """what files of one picture must have in common, as their summaries say it; `data` as the file says it"""
    study: bool = False
    """drawn by `figures.study` of the many files of a study, whose names it reads; not of any file"""

    def fits(self, file: Contents) -> bool:
        """Whether this file has what the figure reads."""
        return (
            not self.study
            and file.measure == self.measure
            and self.moments in (None, file.moments)
            and all(any(fnmatchcase(name, wanted) for name in file.arrays) for wanted in self.arrays)
        )

    def pages(self, files: Sequence[Contents]) -> list[Page]:
        """The pictures to draw of fitting files: as many files together as there is room for, a large one in parts.

        Finished networks and the moments of trainings are not drawn together.
        """
        kinds: dict[str, list[Contents]] = {}
        for file in files:
            kinds.setdefault(repr([file.moments, *_said(file, self.alike)]), []).append(file)
        return [page for kind in kinds.values() for page in self._pages(kind)]

    def parting(self, files: Sequence[Contents]) -> list[str]:
        """That of `alike` in which fitting files differ, for which they are not drawn together."""
        said = [_said(file, self.alike) for file in files if self.fits(file)]
        values = zip(self.alike, zip(*said, strict=True), strict=False)
        return [key for key, found in values if len(set(map(repr, found))) > 1]

    def _pages(self, files: Sequence[Contents]) -> list[Page]:
        values = {summary.get(self.across) for file in files for summary in file.summaries}
        if sum(file.subjects for file in files) < self.least or (self.across and len(values) < self.least):
            return []
        found: list[Page] = []
        for group in _packed(files, self.room if self.together else 0):
            if len(group) == 1 and group[0].names and not group[0].moments and group[0].subjects > self.room:
                found += [Page((group[0].path,), names) for names in _parts(group[0].names, self.room)]
            else:
                found.append(Page(tuple(file.path for file in group)))
        return found

    def said(self) -> str:
        """The records in words.

        >>> Reads(measure="psp", arrays=("*/counts", "*/joint_entropy")).said()
        '/psp/*/counts, /psp/*/joint_entropy'
        """
        return ", ".join(f"/{self.measure}/{name}" for name in self.arrays) or f"/{self.measure}"


def _said(file: Contents, keys: Sequence[str]) -> list[object]:
    said = {**file.summaries[0], "data": sorted(set(file.data))}
    return [said.get(key) for key in keys]


def _packed(files: Sequence[Contents], room: int) -> Iterator[list[Contents]]:
    """Files in their order, as many together as have at most `room` subjects."""
    group: list[Contents] = []
    for file in files:
        if group and sum(each.subjects for each in group) + file.subjects > room:
            yield group
            group = []
        group.append(file)
    yield group


def _parts(names: tuple[str, ...], room: int) -> list[tuple[str, ...]]:
    return [names[start : start + room] for start in range(0, len(names), room)]
