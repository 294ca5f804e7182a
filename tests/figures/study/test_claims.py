"""The rules of the verdicts, on differences whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from figures.study.claims.claims import Claim, View, judge, load_claims

ABOVE = np.linspace(0.5, 1.5, 12)
TINY = np.linspace(-0.01, 0.012, 12)
MIXED = np.concatenate([np.linspace(0.5, 3, 6), -np.linspace(0.4, 2.9, 6)])


def claim(*directions):
    views = tuple(View("s", str(i), direction, 0.2, (0.9,)) for i, direction in enumerate(directions))
    return Claim("c", "text", "source", views)


@pytest.mark.parametrize(
    ("direction", "differences", "verdict"),
    [
        ("above", ABOVE, "confirmed"),
        ("above", -ABOVE, "contradicted"),
        ("below", -ABOVE, "confirmed"),
        ("above", TINY, "equivalent"),
        ("above", MIXED, "undecided"),
        ("above", [], "no verdict"),
        ("above", ABOVE[:5], "no verdict"),
        ("above", TINY[:5], "no verdict"),
        ("zero", TINY, "confirmed"),
        ("zero", ABOVE, "contradicted"),
        ("zero", MIXED, "undecided"),
    ],
)
def test_a_claim_with_one_view(direction, differences, verdict):
    (judgement,) = judge([claim(direction)], [[differences]])
    assert judgement.verdict == verdict


def test_views_that_disagree_leave_a_claim_undecided():
    (judgement,) = judge([claim("above", "above")], [[ABOVE, -ABOVE]])
    assert [view.verdict for view in judgement.views] == ["confirmed", "contradicted"]
    assert judgement.verdict == "undecided"


def test_a_claim_is_as_strong_as_its_weakest_view():
    weak = np.concatenate([ABOVE[:8], -np.linspace(0.1, 0.4, 4)])
    (judgement,) = judge([claim("above", "above")], [[ABOVE, weak]])
    p = [view.summary.p for view in judgement.views]
    assert judgement.adjusted == max(p)


def test_holm_over_the_claims_and_over_the_views():
    judgements = judge([claim("above"), claim("above", "above"), claim()], [[ABOVE], [ABOVE, ABOVE], []])
    smallest = 1 / 2048
    assert [j.adjusted for j in judgements[:2]] == [2 * smallest, 2 * smallest]
    assert [v.adjusted for v in judgements[1].views] == [2 * smallest, 2 * smallest]
    assert judgements[2].verdict == "not yet measured"


def test_eight_seeds_can_still_decide_the_committed_claims():
    """No family is so large that the smallest possible p of eight pairs cannot pass Holm."""
    claims = load_claims().claims
    sizes = [len(c.views) for c in claims]
    assert max(*sizes, sum(size > 0 for size in sizes)) * (1 / 128) < 0.05


def test_the_committed_claims_are_those_of_the_protocol():
    fixed = load_claims()
    arms, claims = fixed.arms, fixed.claims
    assert arms.one_shot == "magnitude"
    assert all(c.views for c in claims)
    assert {v.stage for c in claims for v in c.views} == {"unfinished", "finished", "matched", "source"}
