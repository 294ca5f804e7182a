"""Plain aligned text tables: how every command shows its numbers to a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

LEAST_POWER, GREATEST_POWER = -4, 6
"""of ten, between which a number with an error is written without an exponent"""
DIGITS = 8
"""of a number, however small its error is"""


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
    |---|---|
    | conv1 | 0.1235 |
    """
    lines = [headers, *([format_cell(value) for value in row] for row in rows)]
    head, *body = ["|" + "".join(f" {cell} |" if cell else " |" for cell in line) + "\n" for line in lines]
    return f"{head}{'|---' * len(headers)}|\n{''.join(body)}"


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


def with_error(value: float | None, error: float | None) -> str:
    """A number and its error to the same place, the error to two significant digits; the number alone without one.

    >>> with_error(11.2186, 1.2158), with_error(3.0, None), with_error(None, None)
    ('11.2 ± 1.2', '3', '-')
    >>> with_error(1.23456e-7, 2.1e-9), with_error(0.003, 1.2), with_error(1234567.0, 890.0)
    ('(1.235 ± 0.021)e-07', '0.0 ± 1.2', '1,234,570 ± 890')
    """
    if value is None or math.isnan(value):
        return "-"
    if error is None or not math.isfinite(error) or not math.isfinite(value):
        return f"{value:.4g}"
    power = math.floor(math.log10(max(abs(value), error))) if value or error else 0
    factor = 1.0 if LEAST_POWER <= power <= GREATEST_POWER else 10.0**power
    number, off = to_one_place(value / factor, error / factor)
    return f"{number} ± {off}" if factor == 1 else f"({number} ± {off})e{power:+03d}"


def in_unit(number: str, unit: str) -> str:
    """A number in words with its unit behind it, where it has one.

    >>> in_unit("0.5", "nat"), in_unit("0.5", "1")
    ('0.5 nat', '0.5')
    """
    return number if unit == "1" else f"{number} {unit}"


def to_one_place(value: float, *errors: float | None) -> list[str]:
    """A number and some errors of it, all to the place of the second significant digit of the smallest error.

    >>> to_one_place(11.2186, 1.2158, 0.034), to_one_place(11.2186, None), to_one_place(2.0, 0.0)
    (['11.219', '1.216', '0.034'], ['11.22', '-'], ['2', '0'])
    """
    known = [error for error in errors if error is not None and math.isfinite(error) and error > 0]
    if not known or not math.isfinite(value):
        return ["-" if math.isnan(value) else f"{value:.4g}", *map(_alone, errors)]
    places = 1 - math.floor(math.log10(float(f"{min(known):.2g}")))
    most = DIGITS - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    places = min(places, max(most, 0))
    shown = [value, *errors]
    return ["-" if each is None or math.isnan(each) else f"{round(each, places):,.{max(places, 0)}f}" for each in shown]


def _alone(error: float | None) -> str:
    return "-" if error is None or math.isnan(error) else f"{error:.2g}"


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
