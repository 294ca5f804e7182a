"""The forms that shipped files have had, and how a file of one becomes one of the next, in order.

A further form is a function here and a line in `CONVERSIONS`; `archive.py` writes the last form only and converts what
it reads, and `python -m figures.study convert` converts the files themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from figures.study.shipping.packing import pack

PACKED = ".packed"
"""behind the name of a results file that is packed"""
Members = Mapping[str, bytes]
"""what lies in a shipped file beside its record, by name"""


@dataclass(frozen=True)
class Conversion:
    """A step from one form of a shipped file to the next."""

    name: str
    """what the record of a converted file tells of it"""
    lossless: str
    """why nothing is lost"""
    convert: Callable[[Members], dict[str, bytes]]


def pack_results(members: Members) -> dict[str, bytes]:
    """Form 1, results files as they are, to form 2, results files packed (`packing.py`)."""
    return {name + PACKED: pack(content) for name, content in members.items()}


CONVERSIONS = (
    Conversion(
        "results files packed",
        "a packed file is unpacked to the same bytes, which the SHA-256 of its making in the record tells",
        pack_results,
    ),
)
"""the first leads from form 1 to form 2, and so on"""
FIRST, TODAY = 1, 1 + len(CONVERSIONS)
"""the form of a file whose record names none, and the one that is written"""


def converted(members: Members, form: int) -> dict[str, bytes]:
    """The members of a file of a form as they are in today's.

    >>> sorted(converted({"net.psp.h5": b""}, 1)), sorted(converted({"net.psp.h5.packed": b""}, TODAY))
    (['net.psp.h5.packed'], ['net.psp.h5.packed'])
    """
    found = dict(members)
    for conversion in CONVERSIONS[form - FIRST :]:
        found = conversion.convert(found)
    return found
