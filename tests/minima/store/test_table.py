"""Tables that people read."""

from __future__ import annotations

import numpy as np
import pytest

from minima.store.table import format_cell, render_table


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    lines = render_table(["name", "n", "value"], [["a", 1, 0.5], ["longer", 20000, None]]).splitlines()
    assert lines == [
        "name         n  value",
        "------  ------  -----",
        "a            1    0.5",
        "longer  20,000      -",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    assert render_table(["a", "b"], []).splitlines()[0] == "a  b"


def test_a_row_of_the_wrong_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        render_table(["a", "b"], [[1]])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (-1.23456, "-1.235"),
        (123456.7, "123,457"),
        (1.5e9, "1.5e+09"),
        (float("inf"), "inf"),
        (np.float32(0.25), "0.25"),
        (np.int64(1234), "1,234"),
        (False, "no"),
        ("text", "text"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert format_cell(value) == text
