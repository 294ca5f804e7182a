"""The study of channels and layers: its commands, its dense parents in statements, and what counts as reached."""

from dataclasses import replace

import numpy as np
import pytest

from figures.reading.evidence import Key
from figures.study.findings.inputs import Inputs, Setting
from figures.study.findings.outcome import judge
from figures.study.findings.statements import Findings, View, load_findings
from figures.study.findings.text import markdown
from figures.study.findings.values import sample
from figures.study.kinds import read_study
from figures.study.shipped import bundled
from figures.study.verdicts.verdicts import Claim
from minima.store.command import BadInput


@pytest.fixture(scope="module")
def study():
    return read_study(bundled()["verdicts-structure"])


def test_arms_ask_for_shares_of_units_and_multiply_adds_and_layers_by_their_flags(study):
    steps = {step.given[0]: step.given for job in study.plan().jobs for step in job.steps if step.module == "pruning"}
    assert {"filters", "ice-filters", "easier"} == set(steps)
    assert "--units" in steps["ice-filters"]
    assert "--flops" in steps["filters"]
    assert not {"--sparsity", "--units", "--layers"} & set(steps["easier"])
    seeds = {job.name.split("-seed")[1].split(".")[0] for job in study.plan().jobs}
    assert seeds == {str(seed) for seed in range(12)}


def test_every_statement_has_its_networks(study):
    for claim in load_findings(study.statements).claims:
        assert claim.views
        assert all(view.sparsities == (0.5,) for view in claim.views)


def test_the_dense_parent_is_compared_whatever_share_goes_and_by_the_share_asked_for(tmp_path):
    cells = {}
    for seed in range(3):
        cells[Key("dense", 0.0, seed, "unfinished")] = {"sparsity": 0.0, "reached": np.nan, "lambda_max": 10.0}
        reached = 0.52 if seed else 0.7
        cells[Key("half", 0.5, seed, "unfinished")] = {"sparsity": 0.74, "reached": reached, "lambda_max": 1000.0}
    setting = Setting(tmp_path, "a", "m", "d", 0.1, (0, 1, 2), ("half",), ("lambda_max",), cells)
    view = View("difference", "lambda_max", "above", (("dense",), ("half",)), (0.5,), "unfinished", 0.1)
    found = sample(view, Inputs((setting,), {}, {}), setting, 0.05)
    assert found.unreached == 1
    assert np.allclose(found.rows, 2.0)


def test_the_dense_parent_is_an_arm_of_every_comparison_and_others_must_be_made(tmp_path, study):
    cells = {
        Key(arm, asked, seed, "unfinished"): {"sparsity": asked, "reached": np.nan, "lambda_max": height + seed}
        for arm, asked, height in (("dense", 0.0, 1.0), ("half", 0.5, 10.0))
        for seed in range(12)
    }
    setting = Setting(tmp_path, "a", "m", "d", 0.1, tuple(range(12)), ("half",), ("lambda_max",), cells)
    view = View("difference", "lambda_max", "above", (("dense",), ("half",)), (0.5,), "unfinished", 0.1)
    findings = Findings(tmp_path, 0.05, (Claim("sharper", "Sharper", "nobody", (view,)),))
    (judgement,) = judge(findings, Inputs((setting,), {}, {}), setting).judgements
    assert judgement.verdict == "confirmed"
    unmade = Findings(tmp_path, 0.05, (Claim("x", "X", "nobody", (replace(view, arms=(("dense",), ("hlaf",))),)),))
    with pytest.raises(BadInput, match=r"there is no arm .hlaf.\. Known: dense, half"):
        judge(unmade, Inputs((setting,), {}, {}), setting)


def test_what_was_reached_is_told_of_the_share_that_was_asked_of(tmp_path):
    """Half of the channels are three quarters of the weights, which is no failure to reach a half."""
    values = {"error": 0.1, "sparsity": 0.75, "reached": 0.5}
    cells = {Key("half", 0.5, seed, "unfinished"): values for seed in range(2)}
    cells[Key("half", 0.5, 2, "unfinished")] = values | {"reached": 0.6}
    setting = Setting(tmp_path, "a", "m", "d", 0.1, (0, 1, 2), ("half",), ("error",), cells)
    findings = Findings(tmp_path, 0.05, ())
    page = markdown([judge(findings, Inputs((setting,), {}, {}), setting)], findings)
    missed = page.split("## Sparsities not reached")[1]
    assert "seed 2: 60.00 % of 50 %" in missed
    assert "seed 0" not in missed
    assert "seed 1" not in missed
