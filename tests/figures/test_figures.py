"""Every figure is drawn from results files alone, the same bytes each time; the table finds what was put in."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import json

import h5py
import numpy as np
import pytest

from figures.reading.study_results import read_all
from figures.study.claims.claims import load_claims
from figures.study.claims.table import gather
from figures.study.claims.text import markdown
from figures.study.claims.views import differences

CALLED = {
    "error_against_compression": ["lenet300*.psp-test"],
    "path_between_solutions": ["*.path-*"],
    "hessian_spectrum": ["lenet5*.hessian-survivors", "lenet5*.hessian-full"],
    "entropy_by_layer": ["lenet5*.psp-train"],
    "loss_surfaces": ["lenet5*.surface"],
    "matched_loss": ["lenet300*.curvature"],
    "sharpness_against_error": ["lenet300*.curvature", "lenet300*.psp-test"],
    "study.claims.table": [
        "lenet300*.psp-test",
        "lenet300*.psp-train",
        "lenet300*.curvature",
        "lenet300*.path-*",
        "lenet300*.transfer",
    ],
}


def inputs(folder, figure):
    return [path for pattern in CALLED[figure] for path in sorted(folder.glob(f"digits-{pattern}.h5"))]


def draw(figure, invented, out):
    return importlib.import_module(f"figures.{figure}").draw(inputs(invented, figure), out)


@pytest.fixture(scope="module")
def once(invented, tmp_path_factory):
    """once("loss_surfaces"): the files of a figure, drawn for all tests that look at it."""
    return functools.cache(lambda figure: draw(figure, invented, tmp_path_factory.mktemp("once") / "one"))


@pytest.fixture(scope="module")
def evidence(invented):
    return gather(read_all(inputs(invented, "study.claims.table")))


@pytest.mark.parametrize("figure", CALLED)
def test_a_figure_is_drawn_the_same_twice(figure, invented, once, tmp_path):
    first, again = once(figure), draw(figure, invented, tmp_path / "one")
    assert {path.suffix for path in first} >= {".svg", ".png"}
    assert {path.name: path.read_bytes() for path in again} == {path.name: path.read_bytes() for path in first}


def test_the_claims_find_what_was_put_in(once):
    table = next(path for path in once("study.claims.table") if path.name == "claims.json")
    found = json.loads(table.read_text())
    verdicts = {claim["name"]: claim["verdict"] for claim in found["claims"]["lobster-from-parent"]}
    assert verdicts["generalises"] == "confirmed"
    assert verdicts["grows"] == "confirmed"
    assert verdicts["one-basin"] == "confirmed"
    assert verdicts["transfers"] == "confirmed"
    (probe,) = next(c for c in found["claims"]["lobster-from-parent"] if c["name"] == "transfers")["views"]
    assert probe["n"] == 12
    assert probe["median"] == pytest.approx(3, abs=0.2)
    sharper = next(c for c in found["claims"]["lobster-from-parent"] if c["name"] == "sharper")
    raw = {view["stage"]: view for view in sharper["views"] if view["statistic"] == "lambda_max"}
    assert {view["verdict"] for view in raw.values()} == {"confirmed"}
    assert raw["matched"]["median"] == pytest.approx(0.693, abs=0.1)
    assert sharper["verdict"] == "undecided"
    assert "| LOBSTER (from the parent) | 97 % | as left by the method | 12 | 9" in table.with_suffix(".md").read_text()


def test_what_was_not_reached_is_in_no_pair(evidence):
    fixed = load_claims()
    arms, claims = fixed.arms, fixed.claims
    view = claims[0].views[0]
    short = dataclasses.replace(evidence, reached=evidence.reached | {(arms.gradual, 0.99, 3): 0.98})
    every = differences(evidence, view, arms.one_shot, arms.gradual, arms.reached_within)
    without = differences(short, view, arms.one_shot, arms.gradual, arms.reached_within)
    assert np.isfinite(every).all()
    assert np.flatnonzero(np.isnan(without)).tolist() == [3]
    np.testing.assert_array_equal(np.delete(without, 3), np.delete(every, 3))
    assert "seed 3: 98.00 % of 99 %" in markdown(
        {arms.gradual: []}, short, dataclasses.replace(fixed, arms=dataclasses.replace(arms, beside=()), claims=())
    )


def test_a_source_network_that_was_not_pruned_as_far_is_in_no_pair(evidence):
    """Its own sparsity counts, not that of the network that saw all classes."""
    fixed = load_claims()
    arms, claims = fixed.arms, fixed.claims
    view = next(claim for claim in claims if claim.name == "transfers").views[0]
    elsewhere = dataclasses.replace(evidence, reached=evidence.reached | {(arms.gradual, 0.97, 2): 0.9})
    here = dataclasses.replace(evidence, reached_on_source=evidence.reached_on_source | {(arms.gradual, 0.97, 2): 0.9})
    found = [differences(e, view, arms.one_shot, arms.gradual, arms.reached_within) for e in (elsewhere, here)]
    assert np.isfinite(found[0]).all()
    assert np.flatnonzero(np.isnan(found[1])).tolist() == [2]


def test_numbers_of_a_view_are_those_in_the_files(invented, evidence):
    """Test error as the methods leave it, read and subtracted here by hand."""
    fixed = load_claims()
    arms, claims = fixed.arms, fixed.claims
    expected = []
    for seed in range(12):
        with h5py.File(invented / f"digits-lenet300-seed{seed}.psp-test.h5") as file:
            rows = [name.decode() for name in file["checkpoint"][()]]
            accuracy = dict(zip(rows, file["psp/accuracy"][()], strict=True))
        base = f"digits-lenet300-seed{seed}"
        pairs = [
            [accuracy[f"{base}.{arm}-{s}.pt"] for s in (0.9, 0.95, 0.97, 0.99)] for arm in (arms.gradual, "magnitude")
        ]
        expected.append(100 * (np.mean(pairs[1]) - np.mean(pairs[0])))
    found = differences(evidence, claims[0].views[0], "magnitude", arms.gradual)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
