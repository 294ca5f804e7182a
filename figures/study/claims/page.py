"""The page of a study of the claims: the pictured networks, dense, one-shot and gradual, and medians of their seeds."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from figures.study.claims.keys import Keys
from figures.study.claims.networks import Seed, results
from figures.study.engine.jobs import Job, Step

PAGE = "figures.page"
ONCE = ("sharpness", "surface", "psp-pairs")
"""what is measured of the pictured networks of the first seed"""
SEEDS = ("hessian-survivors",)
"""and of all seeds that are pictured"""


def page(keys: Keys) -> Iterator[Job]:
    """The job that writes page.html; none where nothing is pictured, or Plotly is not installed."""
    part = keys.parts[-1]
    seen = part.pictured_seeds
    files = [file for measure in ONCE for file in results(keys, part, measure, min(seen, 1))]
    every = (*SEEDS, *Seed(keys, part, 0).pairs)
    files += [file for measure in every for file in results(keys, part, measure, seen)]
    if not files or find_spec("plotly") is None:
        return
    out = f"{keys.figures}/page.html"
    title = f"{keys.name}: pruned at once and gradually ({part.model}, {seen} seed{'s' * (seen != 1)})"
    given = (*files, "--title", title, "-o", out)
    yield Job("page", keys.name, tuple(files), (Step(PAGE, given, (), (out,)),))
