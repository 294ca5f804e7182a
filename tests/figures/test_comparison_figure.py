"""The figure of a study of kind `methods`: what is drawn is what is in the table."""

import json

import numpy as np
import pytest

from figures import comparison
from figures.drawing.style import looks
from minima.store.command import BadInput

KEYS = ("error", "sparsity", "effective_sparsity", "training_by_density", "psp_entropy_alive", "lambda_max")


def row(arm, asked, error, seeds=3, stage="unfinished"):
    values = dict.fromkeys(KEYS, 0.5) | {"error": error, "sparsity": asked}
    spread = {key: {"low": 0.9 * value, "median": value, "high": 1.1 * value} for key, value in values.items()}
    named = {"arm": arm, "asked": asked, "stage": stage, "seeds": seeds}
    return named | (spread | {"sparsity": {"median": asked}} if seeds else {})


@pytest.fixture
def table(tmp_path):
    rows = [row("dense", 0, 0.01), row("magnitude", 0.9, 0.02), row("magnitude", 0.99, 0.1), row("mine", 0.9, 0, 0)]
    rows += [row(each["arm"], each["asked"], 0.3, stage="finished") for each in rows[:2]]
    (tmp_path / "x.json").write_text(json.dumps({"rows": rows, "cells": [{}], "sharpness": {"lambda_max": "none"}}))
    return tmp_path / "x.json"


def test_medians_against_compression(table, drawn):
    error = drawn("comparison", table).axes[0]
    parent, line = error.lines
    np.testing.assert_allclose(parent.get_ydata(), [1, 1])
    np.testing.assert_allclose(line.get_xdata(), [10, 100])
    np.testing.assert_allclose(line.get_ydata(), [2, 10])


def test_the_same_bytes_again_and_what_is_refused(table, tmp_path):
    first = [path.read_bytes() for path in comparison.draw([table], tmp_path / "out")]
    assert [path.read_bytes() for path in comparison.draw([table], tmp_path / "out")] == first
    (tmp_path / "y.json").write_text('{"rows": [], "cells": []}')
    with pytest.raises(BadInput, match="no network"):
        comparison.draw([tmp_path / "y.json"], tmp_path / "out")
    (tmp_path / "y.json").write_text("[]")
    with pytest.raises(BadInput, match="no table"):
        comparison.draw([tmp_path / "y.json"], tmp_path / "out")


def test_two_dozen_arms_can_be_told_apart():
    drawn = looks([f"arm{n}" for n in range(24)] + ["magnitude"])
    assert len({(look.colour, look.marker) for look in drawn.values()}) == 25
