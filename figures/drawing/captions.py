"""Words below a figure that stay within its width: captions in lines that fit, legends in as many columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = 8
"""points, of captions and legends"""
POINTS = 72
"""in an inch"""
HANDLE = 38
"""points that a legend's mark takes beside its label, with the room between columns"""
MARGIN = 10
"""points"""


def legend_below(
    figure: Figure, handles: Iterable[Any], labels: Iterable[str], columns: int = 3, caption: str = ""
) -> None:
    """A legend below all panels, in at most so many columns, with a caption above it; both no wider than the figure."""
    names = list(labels)
    room = POINTS * figure.get_figwidth() - MARGIN
    widest = max(map(_width, names), default=0) + HANDLE
    fitting = max(1, min(columns, int(room // widest)))
    words: dict[str, Any] = {"title": fitted(caption, room), "title_fontsize": SIZE} if caption else {}
    figure.legend(list(handles), names, loc="outside lower center", ncols=fitting, **words)


def caption_below(figure: Figure, words: str, size: float = SIZE) -> None:
    """A caption below all panels."""
    figure.supxlabel(fitted(words, POINTS * figure.get_figwidth() - MARGIN, size), fontsize=size)


def fitted(words: str, room: float, size: float = SIZE) -> str:
    """Words in lines of at most so many points, the lines that they have being kept; a longer word has its own line.

    >>> fitted("one two three", 30)
    'one\\ntwo\\nthree'
    """
    lines = []
    for given in words.split("\n"):
        line = ""
        for word in given.split(" "):
            longer = f"{line} {word}" if line else word
            if line and _width(longer, size) > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return "\n".join(lines)


def with_unit(words: str, unit: str) -> str:
    """A quantity and its unit, on an axis; a number without a unit stands alone.

    >>> with_unit("loss", "nat"), with_unit("loss", "1")
    ('loss (nat)', 'loss')
    """
    return words if unit == "1" else f"{words} ({unit})"


def _width(words: str, size: float = SIZE) -> float:
    """In points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(words, font, ismath=False)
    return float(width)
