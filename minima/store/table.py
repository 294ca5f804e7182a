"""Plain aligned text tables: how every command shows its numbers to a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any


def render_table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns two blanks apart under a rule; numbers to the right, text to the left; missing values as `-`.

    >>> print(render_table(["layer", "mean"], [["conv1", 0.123456], ["fc1", None]]))
    layer    mean
    -----  ------
    conv1  0.1235
    fc1         -
    """
    cells = [[format_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    to_right = [
        all(value is None or isinstance(value, Real) for value in column) and bool(column)
        for column in (list(column) for column in (zip(*rows, strict=True) if rows else [[]] * len(headers)))
    ]
    lines = [_line(row, widths, to_right) for row in (headers, ["-" * width for width in widths], *cells)]
    return "\n".join(lines)


def render_markdown(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The rows as a table of Markdown, for documents.

    >>> print(render_markdown(["layer", "mean"], [["conv1", 0.123456]]), end="")
    | layer | mean |
    | --- | --- |
    | conv1 | 0.1235 |
    """
    lines = [headers, ["---"] * len(headers), *([format_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def format_cell(value: Any) -> str:
    """A value as text: four significant digits, thousands grouped, yes and no, `-` where there is nothing.

    >>> [format_cell(value) for value in (1797, 12345.678, 0.000012, 0.5, True, None, float("nan"))]
    ['1,797', '12,346', '1.2e-05', '0.5', 'yes', '-', '-']
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}"
    if isinstance(value, Real):
        return _format_float(float(value))
    return str(value)


def _format_float(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


def _line(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    aligned = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, to_right, strict=True)
    ]
    return "  ".join(aligned).rstrip()
