"""The page that a study of the claims ends with: the pictured networks, and all their seeds."""

import tomllib
from pathlib import Path

from figures.study.claims import page as module
from figures.study.claims.study import ClaimsStudy

DIGITS = Path(module.__file__).parents[1] / "studies" / "digits.toml"


def study():
    table = tomllib.loads(DIGITS.read_text())
    del table["kind"]
    return ClaimsStudy.read(table, DIGITS)


def test_it_shows_what_the_study_measures(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: object())
    (job,) = module.page(study().keys)
    assert job.makes == ("fig/page.html",)
    measured = {file for each in study().plan().jobs for file in each.makes}
    assert len(job.needs) == 15
    assert set(job.needs) <= measured
    assert "fig/page.html" in study().conclude(set()).summary["pictures"]


def test_without_plotly_there_is_none(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert list(module.page(study().keys)) == []
