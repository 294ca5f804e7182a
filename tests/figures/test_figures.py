"""Every figure is drawn from results files alone, the same bytes each time; the table finds what was put in."""

from __future__ import annotations

import importlib
import json

import pytest

CALLED = {
    "error_against_compression": ["lenet300*.psp-test"],
    "path_between_solutions": ["*.path-*"],
    "hessian_spectrum": ["lenet5*.hessian-survivors", "lenet5*.hessian-full"],
    "entropy_by_layer": ["lenet5*.psp-train"],
    "loss_surfaces": ["lenet5*.surface"],
    "sharpness_against_error": ["lenet300*.curvature", "lenet300*.psp-test"],
    "claims_table": ["lenet300*.psp-test", "lenet300*.psp-train", "lenet300*.curvature", "lenet300*.path-*"],
}


def inputs(folder, figure):
    return [path for pattern in CALLED[figure] for path in sorted(folder.glob(f"digits-{pattern}.h5"))]


@pytest.mark.parametrize("figure", CALLED)
def test_a_figure_is_drawn_the_same_twice(figure, invented, tmp_path):
    module = importlib.import_module(f"figures.{figure}")
    first = module.draw(inputs(invented, figure), tmp_path / "one")
    bytes_of_first = [path.read_bytes() for path in first]
    again = module.draw(inputs(invented, figure), tmp_path / "one")
    assert {path.suffix for path in first} >= {".svg", ".png"}
    assert [path.read_bytes() for path in again] == bytes_of_first


def test_the_claims_find_what_was_put_in(invented, tmp_path):
    from figures.claims_table import draw

    draw(inputs(invented, "claims_table"), tmp_path / "7")
    found = json.loads((tmp_path / "claims.json").read_text())
    verdicts = {claim["name"]: claim["verdict"] for claim in found["claims"]["lobster-from-parent"]}
    assert verdicts["generalises"] == "confirmed"
    assert verdicts["grows"] == "confirmed"
    assert verdicts["one-basin"] == "confirmed"
    assert verdicts["transfers"] == "not yet measured"
    sharper = next(c for c in found["claims"]["lobster-from-parent"] if c["name"] == "sharper")
    raw = {view["stage"]: view for view in sharper["views"] if view["statistic"] == "lambda_max"}
    assert {view["verdict"] for view in raw.values()} == {"confirmed"}
    assert raw["matched"]["median"] == pytest.approx(0.693, abs=0.1)
    assert sharper["verdict"] == "undecided"
    assert "**not yet measured**" in (tmp_path / "claims.md").read_text()
