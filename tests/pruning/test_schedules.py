"""Schedules against hand-computed cases, and what every schedule owes the engine."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minima.store.command import BadInput
from pruning.schedules.constant import Constant
from pruning.schedules.cubic import Cubic, cubic
from pruning.schedules.event import Span, come_by, share_out
from pruning.schedules.every_epoch import EveryEpoch
from pruning.schedules.geometric import Geometric, by_fraction, geometric
from pruning.schedules.hybrid import Hybrid
from pruning.schedules.layer_walk import LayerWalk
from pruning.schedules.one_shot import OneShot
from pruning.spaces.elements import Elements

sparsities = st.lists(st.floats(0.01, 0.999), min_size=1, max_size=4, unique=True).map(lambda s: tuple(sorted(s)))


def test_geometric_by_hand():
    assert geometric(0.0, 0.875, 3) == pytest.approx([0.5, 0.75, 0.875], abs=1e-15)
    # twenty per cent a round, as in the lottery ticket papers: densities 0.8^n
    assert [1 - s for s in geometric(0.0, 1 - 0.8**15, 15)][4::5] == pytest.approx([0.32768, 0.10737418, 0.03518437])


@given(st.floats(0, 0.9), st.floats(0, 0.99), st.integers(1, 20))
def test_each_geometric_round_removes_the_same_fraction_and_the_last_ends_exactly(initial, way, rounds):
    final = initial + (0.999 - initial) * way
    levels = [initial, *geometric(initial, final, rounds)]
    assert levels[-1] == final
    ratios = [(1 - after) / (1 - before) for before, after in pairwise(levels)]
    assert ratios == pytest.approx([ratios[0]] * rounds, rel=1e-9)


def test_constant_and_given_fractions_by_hand():
    assert Constant(4).levels(0.0, 0.8) == [0.2, 0.4, 0.6, 0.8]
    assert by_fraction(0.0, 0.875, 0.5) == [0.5, 0.75, 0.875]
    assert by_fraction(0.5, 0.8, 0.5) == [0.75, 0.8]


@pytest.mark.parametrize(
    ("first", "step", "final", "small"), [(0.5, 0.01842, 0.7, 12), (0.8, 0.08, 0.88, 1), (0.8, 0.0181, 0.92, 7)]
)
def test_hybrid_triples_of_the_paper(first, step, final, small):
    """Janusz et al. 2025: so many small cuts after the first, and the rule itself lands within 1e-4 of the target."""
    levels = Hybrid(first, step).levels(0.0, final)
    assert len(levels) == 1 + small
    assert (levels[0], levels[-1]) == (first, final)
    assert first + sum(step * (1 - step) ** (cut - 1) for cut in range(1, small + 1)) == pytest.approx(final, abs=1e-4)


def test_a_first_step_beyond_the_final_sparsity_is_refused():
    with pytest.raises(BadInput, match=r"--first 0\.95.* not beyond --sparsity 0\.9"):
        Hybrid(0.95, 0.01).levels(0.0, 0.9)
    with pytest.raises(BadInput, match=r"above the checkpoint's, 0\.6"):
        Hybrid(0.5, 0.01).levels(0.6, 0.9)


def test_a_walk_gives_every_layer_the_same_fraction():
    masks = {"a": torch.arange(75) < 60, "b": torch.arange(25) < 20}
    events = LayerWalk().events(Span(0.2, (0.6,), 5, 10, partial(Elements().walk, masks)))
    assert [event.sparsity for event in events] == pytest.approx([0.5, 0.6])


def test_cubic_by_hand():
    assert cubic(0.0, 0.9, 0.5) == pytest.approx(0.7875)
    assert (cubic(0.5, 0.9, 0.0), cubic(0.5, 0.9, 1.0)) == (0.5, pytest.approx(0.9))


def test_cubic_cuts_every_frequency_steps_and_ends_at_its_end():
    events = Cubic(frequency=10, begin=0.1, end=0.6).events(Span(0.0, (0.9,), epochs=10, steps_per_epoch=10))
    assert [event.step for event in events] == [20, 30, 40, 50, 60]
    assert [event.sparsity for event in events] == pytest.approx([0.4392, 0.7056, 0.8424, 0.8928, 0.9])
    assert events[-1].sparsity == 0.9


def test_come_by_holds_back_and_adds_what_is_left():
    assert come_by([0.5, 0.75, 0.875], [0.6, 0.7, 0.875]) == [0.5, 0.6, 0.7, 0.875]
    assert come_by([0.5, 0.75], [0.5, 0.75]) == [0.5, 0.75]


@given(sparsities, st.integers(1, 8))
def test_no_schedule_passes_an_asked_sparsity_over(asked, rounds):
    span = Span(0.0, asked, epochs=200, steps_per_epoch=7)
    for schedule in (Geometric(rounds), Geometric(fraction=0.2), Constant(rounds), Cubic(frequency=rounds)):
        events = schedule.events(span)
        targets, steps = [event.sparsity for event in events], [event.step for event in events]
        assert targets == sorted(targets)
        assert steps == sorted(set(steps))
        assert set(asked) <= set(targets)
        assert targets[-1] == asked[-1]
        assert steps[-1] < span.steps


def test_geometric_rounds_are_equally_far_apart_from_the_first_step():
    events = Geometric(3).events(Span(0.0, (0.875,), epochs=10, steps_per_epoch=5))
    assert [event.step for event in events] == [0, 15, 30]
    assert share_out(10, 3) == [3, 3, 4]


def test_one_shot_cuts_before_the_first_step_and_every_epoch_never_after_the_last():
    span = Span(0.0, (0.5,), epochs=3, steps_per_epoch=4)
    assert [(event.step, event.sparsity) for event in OneShot().events(span)] == [(0, 0.5)]
    assert [event.step for event in EveryEpoch().events(span)] == [4, 8]


@pytest.mark.parametrize(
    ("schedule", "epochs", "said"),
    [
        (Geometric(5), 4, "--rounds"),
        (Cubic(frequency=100), 4, "--frequency"),
    ],
)
def test_a_schedule_that_does_not_fit_the_run_says_which_flag(schedule, epochs, said):
    with pytest.raises(BadInput, match=said):
        schedule.events(Span(0.0, (0.9,), epochs, steps_per_epoch=4))


def test_more_sparsities_than_cuts_fit_is_refused():
    asked = tuple(0.9 + step / 1000 for step in range(30))
    with pytest.raises(BadInput, match="--each"):
        Cubic(frequency=4, end=1.0).events(Span(0.0, asked, epochs=10, steps_per_epoch=4))
