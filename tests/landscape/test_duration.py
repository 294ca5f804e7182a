"""What the command says of its time before it starts."""

import pytest

from landscape.sharpness import duration
from landscape.sharpness.flags import chosen_measures


def test_a_search_is_counted_once_for_each_set_of_coordinates():
    both = chosen_measures(["lambda_max", "trace"])
    assert duration.expected_passes(both) == duration.PASSES + sum(measure.passes for measure in both)
    four = chosen_measures(["lambda_max", "trace", "adaptive_lambda_max", "adaptive_trace"])
    assert duration.expected_passes(four) == 2 * duration.PASSES + sum(measure.passes for measure in four)
    assert duration.expected_passes(chosen_measures(["sam"])) < duration.expected_passes(chosen_measures(None))


def test_it_is_told_before_the_first_measure_where_it_is_some_time(command, checkpoint, tmp_path, monkeypatch):
    words = ["sharpness", checkpoint, "--measures", "trace,sam", "--samples", "30"]
    code, _, said = command(*words, "-o", tmp_path / "a.h5")
    assert code == 0
    assert "passes forward and backward" not in said
    monkeypatch.setattr(duration, "WORTH_TELLING", 0.0)
    code, _, said = command(*words, "-o", tmp_path / "b.h5")
    assert code == 0
    assert "2 measures take about 111 passes forward and backward of " in said


@pytest.mark.parametrize(("seconds", "said"), [(42.0, "42 s"), (600.0, "10 min"), (9000.0, "2.5 h")])
def test_units(seconds, said):
    assert duration._spoken(seconds) == said
