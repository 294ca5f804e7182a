"""The rules of the verdicts, on differences whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from figures.reading.evidence import Key
from figures.study.claims.claims import CLAIMS, Claim, View, judge, load_claims
from figures.study.claims.table import judge_arm, summed_up
from figures.study.claims.text import markdown
from figures.study.claims.views import Evidence, read_claims
from minima.store.command import BadInput

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


def evidence(seeds, ratio):
    """Curvatures of pairs whose gradual one is `ratio` times the one-shot one, but for noise of a tenth."""
    rng, found = np.random.default_rng(3), {}
    for seed in range(seeds):
        one_shot = np.exp(rng.normal(2, 0.5))
        found[Key("magnitude", 0.97, seed, "finished")] = one_shot
        found[Key("gradual", 0.97, seed, "finished")] = one_shot * ratio * np.exp(0.1 * rng.normal())
    return Evidence(sharpness={"lambda_max": found}, seeds=tuple(range(seeds)))


FILE = """
seeds = 8

[arms]
one_shot = "magnitude"
gradual = "gradual"
reached_within = 0.002

[[claim]]
name = "sharper"
text = "sharper"
source = ""
direction = "above"
sparsities = [0.97]
views = [{ statistic = "lambda_max", stage = "finished", margin = 0.2231 }]

[[secondary]]
text = "the same"
arms = ["magnitude", "gradual"]
sparsities = [0.97]
views = [{ statistic = "lambda_max", stage = "finished", margin = 0.2231 }]
"""


@pytest.mark.parametrize(
    ("seeds", "ratio", "verdict"),
    [(8, 1.5, "confirmed"), (8, 1 / 1.5, "contradicted"), (8, 1.0, "equivalent"), (7, 1.5, "no verdict")],
)
def test_a_planted_effect_is_found_and_only_with_all_seeds(seeds, ratio, verdict, tmp_path):
    (tmp_path / "c.toml").write_text(FILE)
    fixed, found = read_claims(tmp_path / "c.toml"), evidence(seeds, ratio)
    (judgement,) = judge_arm(found, fixed, "gradual")
    assert judgement.verdict == verdict
    (secondary,) = (summed_up(found, fixed, other) for other in fixed.secondary)
    assert secondary.verdict == "no verdict"
    assert secondary.views[0].summary.median == pytest.approx(np.log(ratio), abs=0.1)
    text = markdown({"gradual": [judgement]}, found, fixed, tmp_path / "c.toml", [secondary])
    assert ("Partial: 7 of 8 seeds" in text) == (seeds < 8)
    assert "## Secondary comparisons: intervals, and no verdict" in text


def test_a_family_that_its_seeds_cannot_decide_is_refused(tmp_path):
    (tmp_path / "c.toml").write_text(FILE.replace("seeds = 8", "seeds = 5"))
    with pytest.raises(BadInput, match="seeds = 5: a family of 1 views or claims cannot be decided"):
        load_claims(tmp_path / "c.toml")
    view = '{ statistic = "lambda_max", stage = "finished", margin = 0.2231 }'
    (tmp_path / "c.toml").write_text(FILE.replace(f"views = [{view}]", f"views = [{', '.join([view] * 7)}]", 1))
    with pytest.raises(BadInput, match="a family of 7 views or claims cannot be decided by so few: expected 9"):
        load_claims(tmp_path / "c.toml")


@pytest.mark.parametrize("name", ["claims-mnist", "claims-rate", "claims-secondary", "claims-cifar"])
def test_the_committed_families_can_be_decided(name):
    fixed = read_claims(CLAIMS.with_name(f"{name}.toml"))
    assert all(len(claim.views) <= (6 if fixed.seeds == 8 else 1) for claim in fixed.claims)
    assert len(fixed.claims) <= (6 if fixed.seeds == 8 else 1)
    assert fixed.secondary
