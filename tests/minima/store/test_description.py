"""What a header must be, written down: the field that is wrong is named, with what was expected and what was found."""

from __future__ import annotations

from typing import Any

import pytest

from minima.store.description import COUNT, FINITE, NAME, PLAIN, SHAPE, Fields, ListOf, Maybe, TableOf, check, one_of
from minima.store.messages import BadInput

SHARED: list[Any] = []
for _ in range(40):
    SHARED = [SHARED, SHARED]
ITSELF: list[Any] = []
ITSELF.append(ITSELF)
HEADER = Fields(
    {"seed": COUNT, "unit": one_of("epoch", "step")},
    {"shape": SHAPE, "rates": TableOf(FINITE), "parts": ListOf(Fields({"name": NAME})), "parent": Maybe(NAME)},
    others=PLAIN,
)
GOOD = {"seed": 3, "unit": "step"}


def test_what_is_described_passes() -> None:
    whole = {"shape": [1, 8], "rates": {"lr": 0.1, "epochs": 3}, "parts": [{"name": "a"}], "parent": None, "x": [{}]}
    check(GOOD | whole, HEADER, "x.pt")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "x.pt: what it holds is a list of 0, expected a table"),
        ({"unit": "step"}, "x.pt has no seed, expected a whole number, 0 or more. It has 'unit'"),
        (GOOD | {"seed": True}, "seed is True, expected a whole number"),
        (GOOD | {"seed": 2**70}, "seed is a whole number of 71 bits, expected"),
        (GOOD | {"unit": "era"}, "unit is 'era', expected 'epoch' or 'step'"),
        (GOOD | {"shape": [1, 0]}, "shape[1] is 0, expected a whole number, 1 or more"),
        (GOOD | {"shape": [1] * 17}, "shape is a list of 17, expected a list of 0 to 16 values"),
        (GOOD | {"rates": {"lr": float("nan")}}, "rates.lr is nan, expected a finite number"),
        (GOOD | {"rates": {3: 0.1}}, "a name in rates is 3, expected a text"),
        (GOOD | {"parts": [{"name": "a"}, {}]}, "x.pt has no parts[1].name, expected a text that is not empty"),
        (GOOD | {"parts": [{"name": "a", "nome": 1}]}, "parts[0] has the field 'nome'. Known: name"),
        (GOOD | {"parent": ""}, "parent is '', expected a text that is not empty"),
        (GOOD | {"x": b"\0"}, "x is b'\\x00', expected numbers, texts, lists and tables of these"),
        (GOOD | {"x": SHARED}, "x is a list of 2, expected numbers"),
        (GOOD | {"x": ITSELF}, "x is a list of 1, expected numbers"),
        (GOOD | {"a\x1b[2J": object()}, r"'a\x1b[2J' is a object"),
    ],
)
def test_the_field_that_is_wrong_is_named(found: Any, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        check(found, HEADER, "x.pt")
    assert said in str(refused.value)
    assert str(refused.value).isprintable()
