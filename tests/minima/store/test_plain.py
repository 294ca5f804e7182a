"""Plain containers and strict JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minima.store.files import digest
from minima.store.plain import nested_deeper, plain, to_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def forbid(constant: str) -> float:
    raise AssertionError(f"{constant} is not JSON")


def without_nan(value: object) -> object:
    """The oracle: what JSON can say of a value."""
    if isinstance(value, float) and (math.isnan(value) or math.isinf(value)):
        return None
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    return [without_nan(item) for item in value] if isinstance(value, list | tuple) else value


@given(VALUES)
def test_json_is_strict_and_says_everything_that_is_finite(value: object) -> None:
    assert json.loads(to_json(value), parse_constant=forbid) == without_nan(value)


@given(VALUES)
def test_plain_is_idempotent(value: object) -> None:
    once = plain(value)
    assert repr(plain(once)) == repr(once)


@dataclass(frozen=True)
class Settings:
    lr: float = 0.1
    sizes: tuple[int, ...] = (1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Path("runs/x.pt"), "runs/x.pt"),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (torch.tensor([1.5, math.nan]), [1.5, None]),
        (torch.tensor(2), 2),
        (Settings(), {"lr": 0.1, "sizes": [1, 2]}),
        ({3, 1, 2}, [1, 2, 3]),
        ({1: "a"}, {"1": "a"}),
        (math.inf, None),
    ],
)
def test_what_summaries_are_made_of(value: object, expected: object) -> None:
    assert json.loads(to_json({"": value}))[""] == expected


def test_plain_types_are_exactly_pythons_own() -> None:
    converted = plain({"float": np.float64(1), "text": np.str_("a"), "flag": np.bool_(False), "int": np.int8(1)})
    assert [type(value) for value in converted.values()] == [float, str, bool, int]


@pytest.mark.parametrize("value", [object(), b"bytes", {(1, 2): 3}, 1j])
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        plain(value)


@given(st.dictionaries(st.text(), SCALARS, min_size=2))
def test_digest_does_not_depend_on_the_order_of_keys(mapping: dict[str, object]) -> None:
    assert digest(mapping) == digest(dict(reversed(mapping.items())))


def test_digest_tells_contents_apart() -> None:
    contents = [{"a": 1}, {"a": 1.5}, {"a": "1"}, {"b": 1}, {"a": None}, {"a": [1]}, {"a": {"b": 1}}, {"a": True}]
    assert len({digest(content) for content in contents}) == len(contents)


def depth(value: object) -> int:
    """The oracle: levels of a value, told by going through it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


NESTED = st.recursive(
    st.text('[]{}\\"a\u00e9\ud800'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('[{\\"'), inner),
    max_leaves=20,
)


@given(NESTED, st.booleans())
def test_levels_of_json_are_those_of_its_value(value: object, ascii_only: bool) -> None:
    text, levels = json.dumps(value, ensure_ascii=ascii_only), depth(value)
    assert not nested_deeper(text, levels)
    assert levels == 0 or nested_deeper(text, levels - 1)


def test_brackets_that_never_close_count() -> None:
    assert nested_deeper("[" * 10**6, 64)
    assert not nested_deeper("[]" * 10**6, 1)
    assert not nested_deeper("[0, 1)", 64)
